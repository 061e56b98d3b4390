import { stepsFor } from '../saga/step/step.ts';
import type { Order } from './order.ts';

/** Makes a step for orders of this shop. */
export const step = stepsFor<Order>();
