import { expect } from 'chai';
import { isBroken, owesAudit, type Plug, PULLS_MAX, type Pull, secondsLeft, withPull } from './plug.ts';

const NOW = Date.parse('2026-11-28T04:00:00.000Z');
const later = (ms: number) => new Date(NOW + ms).toISOString();
const whole: Plug = {
  separate: true,
  services: [
    { name: 'inventory', state: 'running' },
    { name: 'janitor', state: 'running' },
  ],
  cut: { store: null, broker: null },
  recorded: 12,
};
const pull = (kind: Pull['kind'], what = kind as string): Pull => ({ at: later(0), kind, what });

describe('The plug on the page', () => {
  it('counts down in whole seconds, and never below zero', () => {
    expect([5_000, 4_001, 1, 0, -1].map((ms) => secondsLeft(later(ms), NOW))).to.deep.equal([5, 5, 1, 0, 0]);
    expect(secondsLeft(null, NOW)).to.equal(0);
  });

  it('is broken while a service does not run, or store or broker are cut off', () => {
    const [first, ...others] = whole.services;
    const frozen: Plug = { ...whole, services: [{ name: first?.name ?? '', state: 'frozen' }, ...others] };
    const cut: Plug = { ...whole, cut: { store: null, broker: later(1) } };
    expect([whole, frozen, cut].map((plug) => isBroken(plug, NOW))).to.deep.equal([false, true, true]);
    expect(isBroken(cut, NOW + 1)).to.equal(false);
  });

  it('keeps the newest pulls, the newest first', () => {
    let log: readonly Pull[] = [];
    for (let count = 1; count <= PULLS_MAX + 1; count++) log = withPull(log, pull('pulled', String(count)));
    expect([log.length, log[0]?.what, log.at(-1)?.what]).to.deep.equal([
      PULLS_MAX,
      String(PULLS_MAX + 1),
      '2',
    ]);
  });

  it('owes an audit after a pull, until one was made', () => {
    expect(owesAudit([])).to.equal(false);
    expect(owesAudit([pull('pulled')])).to.equal(true);
    expect(owesAudit([pull('swept'), pull('back'), pull('pulled'), pull('audited')])).to.equal(true);
    expect(owesAudit([pull('swept'), pull('audited'), pull('pulled')])).to.equal(false);
  });
});
