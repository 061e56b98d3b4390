import { z } from 'zod';
import { answerInTime } from '../saga/http/answer-in-time.ts';
import { operatorIn } from '../saga/http/caller.ts';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { isName } from '../saga/input/name.ts';
import type { Ports } from '../saga/ports/ports.ts';
import type { Saga } from '../saga/step/saga.ts';
import { type Erased, type Erasure, eraseCustomer } from './erase-customer.ts';

/** How many orders and dead letters of a customer were rewritten. */
export const erasedSchema = z.object({ orders: z.int(), letters: z.int() });

/** Operators erase what is personal about a customer. @param by the service that answers. */
export const eraseCustomerRoute = (saga: Saga, ports: Ports, by: string): Route =>
  route({
    method: 'DELETE',
    path: '/users/{user}',
    summary:
      'Erase what is personal about a customer; a pseudonym takes their place, and the books stay right',
    audience: 'operators',
    answer: erasedSchema,
    responses: {
      200: 'It is erased; how many orders and dead letters were rewritten',
      404: 'No such customer',
      409: 'Orders of the customer stand, or something is malformed; the detail says which',
      503: 'Whether all is done is not known; repeating it is safe',
    },
    async handle({ params: { user = '' }, caller }) {
      if (!isName(user)) throw notFound(`There is no user ${user}`);
      const erasing = erase(saga, ports, { user, by, person: operatorIn(caller) });
      return { status: 200, body: await answerInTime(erasing, `/users/${user}`, ports.clock) };
    },
  });

/** Says it in the log, but not whom it was about. */
async function erase(saga: Saga, ports: Ports, erasure: Erasure): Promise<Erased> {
  const { by, person: operator } = erasure;
  const erased = await eraseCustomer(saga, ports, erasure);
  ports.log('INFO', `${by}: a customer was erased`, { step: by, operator, ...erased });
  return erased;
}
