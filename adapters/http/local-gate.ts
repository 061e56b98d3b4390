import type { RequestHandler } from 'express';
import { Problem } from '../../saga/http/http.ts';
import { isOfThisMachine, isReadHere } from './operator-gate.ts';

/**
 * Lets only this machine pass, whatever is asked for. Where customers are not told apart, a page of another site could otherwise
 * cancel orders in its visitor's browser, and one whose name was made to point here could do anything.
 */
export const localGate: RequestHandler = (request, _response, next) => {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!(isRead ? isReadHere : isOfThisMachine)(request)) throw FOREIGN;
  next();
};

const FOREIGN = new Problem(
  403,
  'Forbidden',
  'This server is for people and programs on this machine, not for other sites; if it is meant to stand behind a proxy, set TRUSTED_PROXIES',
);
