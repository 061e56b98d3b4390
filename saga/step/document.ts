import { z } from 'zod';
import type { Documents } from '../commit/documents.ts';
import { schemaFaults } from '../input/schema-faults.ts';
import type { Path } from '../ports/store.ts';

/**
 * The kinds of documents that a saga reads and holds. Each is declared once, with its path, its schema and its name, and
 * all other code gets its documents from there.
 */

/** One string for each name in braces: `inventory/{item}/orders/{uuid}` takes two. */
type NamesIn<Template extends string> = string extends Template
  ? string[]
  : Template extends `${string}{${string}}${infer Rest}`
    ? [name: string, ...NamesIn<Rest>]
    : [];

/** A document: its kind and its path. */
export interface DocumentRef<
  T extends object = object,
  Missing extends string | undefined = string | undefined,
> {
  readonly kind: DocumentKind<T, Missing>;
  readonly path: Path<T>;
}

/** What every kind of document says about itself. A reference to one of its documents is made by `of`. */
export interface DocumentKind<
  T extends object = object,
  Missing extends string | undefined = string | undefined,
> {
  /** What people call it: "customer", "invoice". */
  readonly name: string;
  /** The path of its documents, with `{name}` for each part that varies. */
  readonly template: string;
  readonly schema: z.ZodType<T>;
  /** The reason to refuse an order that needs such a document if there is none, or if it is closed; undefined: the step decides. */
  readonly missing: Missing;
  /** Why a document takes no further orders, as a sentence; undefined if it takes them. Those that it has taken go on. */
  closedBecause?(fields: T): string | undefined;
  /** What of it an order can hold. */
  readonly held: 'nothing' | 'amounts' | 'records';
  /** The names in a path; undefined if it is not the path of such a document. */
  namesIn(path: Path): readonly string[] | undefined;
}

/** A kind of document that steps only read. */
export interface PlainKind<
  T extends object = object,
  Missing extends string | undefined = string | undefined,
  Template extends string = string,
> extends DocumentKind<T, Missing> {
  readonly held: 'nothing';
  of(...names: NamesIn<Template>): DocumentRef<T, Missing>;
}

/** An amount of an account that an order holds: positive if it was taken from the account, negative if it was given to it. */
export interface Amount {
  readonly account: Account;
  readonly path: Path;
  readonly amount: number;
}

/** A record that an order holds: it exists, with exactly these fields, as long as the order holds it. */
export interface HeldRecord {
  readonly record: RecordKind;
  readonly path: Path;
  readonly fields: object;
}

export type Hold = Amount | HeldRecord;

/** A document with a balance, from which orders take, and a field for the whole. */
export interface Account<
  T extends object = object,
  Missing extends string | undefined = string | undefined,
  Shortage extends string = string,
  Template extends string = string,
> extends DocumentKind<T, Missing> {
  readonly held: 'amounts';
  /** The field that says what is left. */
  readonly balance: string;
  /** The field for the whole: what is left and what orders hold add up to it. Undefined for a counter, whose whole is 0. */
  readonly whole: string | undefined;
  /** The other fields of its documents. */
  readonly fields: z.ZodRawShape;
  /** Whether a document may lack a balance. Then nothing can be taken from it, and what returns to it lapses. */
  readonly mayBeUnlimited: boolean;
  /** The reason to refuse an order that would take more than is left; undefined for a counter, from which none takes. */
  readonly shortage: Shortage | undefined;
  of(...names: NamesIn<Template>): DocumentRef<T, Missing> & {
    /** @param amount in whole units of the account; 0 says that the order needs the document without taking from it. */
    amount(amount: number): Amount;
  };
}

/** A document that exists exactly as long as an order holds it; the uuid of that order is its id. */
export interface RecordKind<T extends object = object, Template extends string = string>
  extends DocumentKind<T, undefined> {
  readonly held: 'records';
  of(...names: NamesIn<Template>): DocumentRef<T, undefined> & { holding(fields: T): HeldRecord };
}

/** Any kind that a step may use. */
export type AnyKind = PlainKind | Account | RecordKind;

/** Builds paths from a template, and finds the names in a path. */
function pathsOf(template: string) {
  const between = template.split(/\{\w+\}/);
  const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '([^/]+)')}$`, 'su');
  return {
    pathOf: (names: readonly string[]): Path<never> =>
      names.reduce((path, name, index) => path + name + between[index + 1], between[0] ?? ''),
    namesIn: (path: Path): readonly string[] | undefined => pattern.exec(path)?.slice(1),
  };
}

/**
 * A kind of document that steps only read.
 * @param declaration `path` with `{name}` for each part that varies; `missing`: the reason to refuse an order that needs such
 * a document if there is none; `closedBecause`: why a document takes no further orders.
 */
export function document<
  T extends object,
  const Template extends string,
  const Missing extends string | undefined = undefined,
>(declaration: {
  readonly name: string;
  readonly path: Template;
  readonly schema: z.ZodType<T>;
  readonly missing?: Missing;
  readonly closedBecause?: (fields: NoInfer<T>) => string | undefined;
}): PlainKind<T, Missing, Template> {
  const { name, path: template, schema, missing, closedBecause } = declaration;
  const { pathOf, namesIn } = pathsOf(template);
  const kind: PlainKind<T, Missing, Template> = {
    held: 'nothing',
    name,
    template,
    schema,
    missing: missing as Missing,
    ...(closedBecause && { closedBecause }),
    namesIn,
    of: (...names) => ({ kind, path: pathOf(names) }),
  };
  return kind;
}

const wholeAmount = z.int().min(0);

/** The fields that every account has. */
type AccountFields<
  Balance extends string,
  Whole extends string,
  Unlimited extends boolean,
> = (Unlimited extends true
  ? { readonly [Field in Balance | Whole]?: number }
  : { readonly [Field in Balance | Whole]: number }) & {
  /** How often a repair has corrected the balance. If two repairs found the same fault, only one corrects it. */
  readonly corrections?: number;
};

/**
 * A kind of account.
 * @param declaration `balance` and `whole`: the fields for what is left and for the whole, both whole numbers; the kernel
 * never lets the balance fall below 0. `fields`: the other fields. `mayBeUnlimited`: a document may have neither of the two.
 * `missing`, `shortage`: the reasons to refuse an order if there is no document, or not enough left. `closedBecause`: why a
 * document takes no further orders.
 */
export function account<
  const Template extends string,
  const Balance extends string,
  const Whole extends string,
  const Shortage extends string,
  Fields extends z.ZodRawShape,
  const Missing extends string | undefined = undefined,
  const Unlimited extends boolean = false,
  T extends object = (keyof Fields extends never ? object : z.infer<z.ZodObject<Fields>>) &
    AccountFields<Balance, Whole, Unlimited>,
>(declaration: {
  readonly name: string;
  readonly path: Template;
  readonly balance: Balance;
  readonly whole: Whole;
  readonly fields: Fields;
  readonly missing?: Missing;
  readonly closedBecause?: (fields: NoInfer<T>) => string | undefined;
  readonly shortage: Shortage;
  readonly mayBeUnlimited?: Unlimited;
}): Account<T, Missing, Shortage, Template> {
  const {
    name,
    path: template,
    balance,
    whole,
    fields,
    missing,
    closedBecause,
    shortage,
    mayBeUnlimited = false,
  } = declaration;
  const { pathOf, namesIn } = pathsOf(template);
  const amount = mayBeUnlimited ? wholeAmount.exactOptional() : wholeAmount;
  const schema = z
    .object({ ...fields, [balance]: amount, [whole]: amount, corrections: wholeAmount.exactOptional() })
    .refine((found) => balance in found === whole in found, {
      error: `has ${balance} or ${whole} without the other: it needs both, or none for no limit`,
    });
  const kind: Account<T, Missing, Shortage, Template> = {
    held: 'amounts',
    name,
    template,
    // The compiler can't compute the names of the two fields.
    schema: schema as unknown as z.ZodType<T>,
    fields,
    balance,
    whole,
    mayBeUnlimited,
    missing: missing as Missing,
    ...(closedBecause && { closedBecause }),
    shortage,
    namesIn,
    of(...names) {
      const path = pathOf(names);
      return { kind, path, amount: (amount) => ({ account: kind, path, amount }) };
    },
  };
  return kind;
}

/**
 * A kind of account that counts what orders have been given: each gives it a negative amount. It has no whole, and a document
 * that is not there counts nothing, so none is loaded.
 * @param declaration `counts`: the field with the number.
 */
export function counter<const Template extends string, const Counts extends string>(declaration: {
  readonly name: string;
  readonly path: Template;
  readonly counts: Counts;
}): Account<
  { readonly [Field in Counts]: number } & { readonly corrections?: number },
  undefined,
  never,
  Template
> {
  const { name, path: template, counts } = declaration;
  const { pathOf, namesIn } = pathsOf(template);
  const kind: ReturnType<typeof counter<Template, Counts>> = {
    held: 'amounts',
    name,
    template,
    schema: z.object({ [counts]: wholeAmount, corrections: wholeAmount.exactOptional() }) as never,
    fields: {},
    balance: counts,
    whole: undefined,
    mayBeUnlimited: false,
    missing: undefined,
    shortage: undefined,
    namesIn,
    of(...names) {
      const path = pathOf(names);
      return { kind, path, amount: (amount) => ({ account: kind, path, amount }) };
    },
  };
  return kind;
}

/**
 * A kind of record.
 * @param declaration `path` ends with `{uuid}`, so that a record names its order.
 */
export function record<T extends object, const Template extends `${string}/{uuid}`>(declaration: {
  readonly name: string;
  readonly path: Template;
  readonly schema: z.ZodType<T>;
}): RecordKind<T, Template> {
  const { name, path: template, schema } = declaration;
  const { pathOf, namesIn } = pathsOf(template);
  const kind: RecordKind<T, Template> = {
    held: 'records',
    name,
    template,
    schema,
    missing: undefined,
    namesIn,
    of(...names) {
      const path = pathOf(names);
      return { kind, path, holding: (fields) => ({ record: kind, path, fields }) };
    },
  };
  return kind;
}

/** A document, whatever its fields. */
interface Place {
  readonly kind: DocumentKind;
  readonly path: Path;
}

/** The last name in the path of a document: "jack". */
export const lastNameOf = ({ kind, path }: Place): string => kind.namesIn(path)?.at(-1) ?? path;

/** The document itself, as people would name it: "customer jack". */
export const nameOf = (document: Place): string => `${document.kind.name} ${lastNameOf(document)}`;

/**
 * Reads a document that people edit, such as stock or a customer, and checks it against the schema of its kind: a quantity
 * typed in as text must stop the order, not turn the stock into nonsense.
 * @returns the document, or undefined if there is none.
 * @throws Error that names the document and its faults.
 */
export function readDocument<T extends object>(
  documents: Documents,
  { kind, path }: DocumentRef<T>,
): T | undefined {
  const fields = documents.get(path);
  if (fields === undefined) return undefined;
  // In a batch, the same document is read for every order that needs it.
  const known = parsedDocuments.get(fields);
  if (known?.kind === kind) return known.content as T;
  const parsed = kind.schema.safeParse(fields);
  if (parsed.success) {
    parsedDocuments.set(fields, { kind, content: parsed.data });
    return parsed.data;
  }
  throw new Error(`The document ${path} is malformed: ${schemaFaults(parsed.error).join('; ')}`);
}

/**
 * Why an order that needs this document is refused; undefined if it isn't.
 * @param isTaken tells whether the document took the order before it was closed.
 */
export function refusalFor(
  needed: DocumentRef,
  content: object | undefined,
  isTaken: () => boolean,
): { readonly reason: string; readonly detail: string } | undefined {
  const { missing: reason, closedBecause } = needed.kind;
  if (reason === undefined) return undefined;
  if (content === undefined) return { reason, detail: `There is no ${nameOf(needed)}` };
  const detail = closedBecause?.(content);
  return detail === undefined || isTaken() ? undefined : { reason, detail };
}

const parsedDocuments = new WeakMap<object, { readonly kind: DocumentKind; readonly content: object }>();
