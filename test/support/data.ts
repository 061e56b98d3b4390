import { readFileSync } from 'node:fs';
import { type Data, parseData } from '../../data-init/load-data.ts';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import type { Saga } from '../../saga/step/saga.ts';

/**
 * What the tests load. Users and stock are spelled out where they are counted. All other accounts of the pipeline come from
 * data-init/data.json: a step with an account of its own is loaded wherever the pipeline runs, and no test names it.
 */

const FILE = 'data-init/data.json';
/** What a new installation is loaded with. */
export const shipped = parseData(pipeline, readFileSync(new URL(FILE, packageRoot), 'utf8'), FILE);

/** What a balance becomes that nobody has spelled out. */
export type Balances = (shipped: number) => number;

/** So much that no run uses it up. */
export const plenty: Balances = () => 1_000_000_000;

/**
 * These accounts, and those of the saga that are not among them.
 * @param balances how much there is of the latter; by default what data-init/data.json says.
 */
export function withFurtherAccounts(
  data: Data,
  saga: Saga = pipeline,
  balances: Balances = (balance) => balance,
): Data {
  const further = saga.accounts.flatMap(({ template, balance }) => {
    const section = template.split('/')[0] ?? '';
    const named = shipped[section];
    return section in data || named === undefined ? [] : [{ section, named, balance }];
  });
  const filled = further.map(({ section, named, balance }) => {
    const accounts = Object.entries(named).map(([name, fields]) => [
      name,
      balance in fields ? { ...fields, [balance]: balances(Number(fields[balance])) } : fields,
    ]);
    return [section, Object.fromEntries(accounts)];
  });
  return { ...data, ...Object.fromEntries(filled) };
}

/** Small numbers that are easily counted. */
const USERS_AND_STOCK: Data = {
  users: { jack: { address: '1 Hill Road' }, joe: { address: '3 Mill Lane', credit: 100 } },
  inventory: { widget: { quantity: 10, price_per_unit: 10 }, wotsit: { quantity: 20, price_per_unit: 15 } },
};

/** What the tests of a saga with the steps of the shop start with. */
export const dataFor = (saga: Saga): Data => withFurtherAccounts(USERS_AND_STOCK, saga);
