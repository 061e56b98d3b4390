import { distance } from '@turf/distance';
import { z } from 'zod';
import { wholeNumber } from '../saga/step/settings.ts';

/** What a delivery costs: payments charges it, and delivery tells it beforehand. */

/** A place, in degrees. */
export const placeSchema = z.object({
  lat: z.number().min(-90).max(90),
  lng: z.number().min(-180).max(180),
});
export type Place = z.infer<typeof placeSchema>;

const placeFault = { error: 'must be a latitude and a longitude in degrees, such as 52.09,5.12' };
const DEGREES = /^ *(-?\d+(?:\.\d+)?) *, *(-?\d+(?:\.\d+)?) *$/;

/** A place as a setting. */
const place = z
  .string()
  .regex(DEGREES, placeFault)
  .transform((text) => {
    const [, lat, lng] = DEGREES.exec(text) ?? [];
    return { lat: Number(lat), lng: Number(lng) };
  })
  .refine((found) => placeSchema.safeParse(found).success, placeFault);

/** What payments and delivery are told about it. Costs are in minor units of the currency. */
export const tariff = {
  WAREHOUSE_LOCATION: place.prefault('52.09,5.12'),
  DELIVERY_BASE_COST: wholeNumber(0, 1_000_000_000).prefault('0'),
  DELIVERY_COST_PER_KM: wholeNumber(0, 1_000_000).prefault('1'),
};
export type Tariff = Readonly<z.infer<z.ZodObject<typeof tariff>>>;

/**
 * The cost of a delivery, in whole minor units, rounded up: the base, and so much for each kilometer of the great circle between
 * the warehouse and the customer. If nobody knows where the customer is, it is the base.
 */
export function deliveryCost(customer: Place | undefined, settings: Tariff): number {
  const { WAREHOUSE_LOCATION: warehouse, DELIVERY_BASE_COST: base, DELIVERY_COST_PER_KM: perKm } = settings;
  if (customer === undefined) return base;
  return base + Math.ceil(perKm * distance(pointOf(warehouse), pointOf(customer), { units: 'kilometers' }));
}

/** As GeoJSON has it: the longitude first. */
const pointOf = ({ lat, lng }: Place): [number, number] => [lng, lat];
