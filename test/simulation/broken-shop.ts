import { rewriting, veiled } from '../../test-kit/simulation/checks/without-guard.ts';
import { type MakeService, realService } from '../../test-kit/simulation/world/world.ts';
import { loadedIn } from './shop.ts';

/** The services of the shop, each time with a fault that only the shop could have. */

/** The lines with their prices take the place of what was asked. */
export const overwritingItems = rewriting(({ lines }) => (lines === undefined ? {} : { items: lines }));

/** The stock is set to what it was at the beginning, whatever others have taken since. */
export const withAbsoluteUndo: MakeService = (subject, name, ports, plan) => {
  if (name !== 'janitor') return realService(subject, name, ports, plan);
  const { inventory } = loadedIn(plan);
  const store = veiled(
    ports.store,
    (_path, fields) => fields,
    (path, fields) => {
      const loaded = inventory[path.split('/')[1] ?? ''];
      return path.startsWith('inventory/') && loaded ? { ...fields, quantity: loaded.quantity } : fields;
    },
  );
  return realService(subject, name, { ...ports, store }, plan);
};
