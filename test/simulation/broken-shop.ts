import { executeRepair } from '../../janitor/audit/repair.ts';
import { pipeline } from '../../pipeline.ts';
import type { HttpRequest } from '../../saga/http/http.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Path } from '../../saga/ports/store.ts';
import { eraseCustomer } from '../../shop/erase-customer.ts';
import { declaring } from '../../test-kit/simulation/checks/declaring.ts';
import {
  publishingOnly,
  rewriting,
  unguarded,
  veiled,
  withPorts,
  withSaga,
} from '../../test-kit/simulation/checks/without-guard.ts';
import type { Fields, Subject } from '../../test-kit/simulation/subject.ts';
import { type MakeService, realService } from '../../test-kit/simulation/world/world.ts';
import { erasure, repairs } from './operators.ts';
import { loadedIn, shop, USERS } from './shop.ts';

/** The services of the shop, each time with a fault that only the shop could have. */

/** The lines with their prices take the place of what was asked. */
export const overwritingItems = rewriting(({ lines }) => (lines === undefined ? {} : { items: lines }));

/** A payment that operators skip costs the customer something. */
export const chargingSkipped = withSaga((saga, name) =>
  name === 'janitor'
    ? declaring(saga, (step) =>
        step.standIn === undefined ? {} : { standIn: { ...step.standIn, charged: 1 } },
      )
    : saga,
);

/** A change of the stock lacks something. */
const changingStock = (
  write: (path: Path, fields: Fields, kind: 'create' | 'update') => object,
): MakeService =>
  withPorts(({ store }, name) =>
    name === 'inventory' ? { store: veiled(store, (_path, fields) => fields, write) } : {},
  );

/** What operators say is the whole is all available, whatever orders hold of it. */
export const settingStock = changingStock((path, fields) =>
  path.startsWith('inventory/') && 'loaded' in fields ? { ...fields, quantity: fields.loaded } : fields,
);

/** The journal says that nothing was changed. */
export const withoutJournal = changingStock((path, fields) =>
  path.includes('/changes/') ? { ...fields, after: fields.before ?? { loaded: 0 } } : fields,
);

/** The deeds of the shop, with a repair whose ports lack something. */
const repairing = (broken: (ports: Ports) => Partial<Ports>): Subject => ({
  ...shop,
  deeds: {
    ...shop.deeds,
    ...repairs(pipeline, (saga, actions, ports) =>
      executeRepair(saga, actions, { ...ports, ...broken(ports) }),
    ),
  },
});

/** A repair writes over what has changed since it looked. */
export const repairingBlindly = repairing(({ store }) => ({ store: unguarded(store) }));

/** A repair cancels an order without having said to anybody that it fails. */
export const repairingSilently = repairing(({ bus }) => ({
  bus: publishingOnly(bus, ({ topic }) => topic === pipeline.end.topic),
}));

/** The shop in which every erasure, by request or by a program, is done in another way. */
const erasingBy = (erase: typeof eraseCustomer): { subject: Subject; makeService: MakeService } => ({
  subject: { ...shop, deeds: { ...shop.deeds, erase: erasure(pipeline, USERS, erase) } },
  makeService(subject, name, ports, plan) {
    const service = realService(subject, name, ports, plan);
    const routes = () =>
      service.routes().map((route) =>
        route.method === 'DELETE' && route.path === '/users/{user}'
          ? {
              ...route,
              handle: async ({ params: { user = '' } }: HttpRequest) => ({
                status: 200,
                body: await erase(pipeline, ports, { user, by: name }),
              }),
            }
          : route,
      );
    return { ...service, routes };
  },
});

/** An erasure forgets the desk. */
export const erasingNoLetters = erasingBy((saga, ports, erasure) => {
  const services = saga.services.map(({ erase: _, ...service }) => service);
  return eraseCustomer({ ...saga, services }, ports, erasure);
});

/** An erasure leaves why an order has failed, which may name the customer. */
export const erasingNoDetails = erasingBy((saga, ports, erasure) => {
  const write = (path: Path, fields: Fields) => {
    const { detail, ...others } = fields;
    return path.startsWith('sagas/') ? others : fields;
  };
  const store = veiled(ports.store, (_path, fields) => fields, write);
  return eraseCustomer(saga, { ...ports, store }, erasure);
});

/** An erasure writes over what has changed since it looked. */
export const erasingBlindly = erasingBy((saga, ports, erasure) =>
  eraseCustomer(saga, { ...ports, store: unguarded(ports.store) }, erasure),
);

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
