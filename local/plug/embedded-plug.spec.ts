import { request } from 'node:http';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { allDocuments } from '../../test/support/all-documents.ts';
import { asking } from '../../test/support/ask.ts';
import { dataFor } from '../../test/support/data.ts';
import { startLocally } from '../start-locally.ts';
import { until } from '../until.ts';

/** What an order comes to by itself: then it waits for its courier. */
const RESTS = pipeline.steps.at(-1)?.waits?.as;
const LIMIT_MS = 15_000;
const STEP = pipeline.steps[1]?.name;

describe('The plug of the embedded stack', () => {
  let local: Awaited<ReturnType<typeof startLocally>>;
  let crashes = 0;
  beforeEach(async () => {
    crashes = 0;
    local = await startLocally(pipeline, dataFor(pipeline), {
      onEmulators: false,
      end: (error) => {
        throw error;
      },
      openLog: () => () => {},
      crash: () => crashes++,
    });
  });
  afterEach(() => local.close());

  const ask = asking(() => local.url);
  const order = async (): Promise<string> =>
    (await ask('POST', '/order', { item: 'widget', quantity: 1, user: 'jack' })).body.uuid;
  const statusOf = async (uuid: string) => (await ask('GET', `/order/${uuid}`)).body.status;
  const rests = (uuid: string) =>
    until(`order ${uuid} rests`, LIMIT_MS, async () => (await statusOf(uuid)) === RESTS);
  const plug = async () => (await ask('GET', '/plug')).body;
  const isClean = async () => expect((await ask('GET', '/audit')).body.violations).to.deep.equal([]);

  it('kills the process of all services once it has answered', async () => {
    const { status, body } = await ask('POST', '/plug/crash', { service: STEP });
    expect([status, body.done]).to.deep.equal([
      202,
      'killed the process of all services, which share a process',
    ]);
    await until('it is killed', LIMIT_MS, () => crashes === 1);
  });

  it('freezes a service, whose orders stand still until it goes on', async () => {
    expect((await ask('POST', '/plug/freeze', { service: STEP, seconds: 60 })).status).to.equal(202);
    const uuid = await order();
    expect((await plug()).services).to.deep.equal(
      serviceNames(pipeline).map((name) => ({ name, state: name === STEP ? 'frozen' : 'running' })),
    );
    await until('the step before it is done', LIMIT_MS, async () => (await statusOf(uuid)) === 'CREATED');
    await ask('POST', '/plug/freeze', { service: STEP, seconds: 1 });
    await rests(uuid);
    expect((await plug()).services.map(({ state }: { state: string }) => state)).to.not.include('frozen');
    await isClean();
  });

  it('cuts the store off: requests are told to come again, and then all goes on', async () => {
    const uuid = await order();
    await ask('POST', '/plug/cut', { what: 'store', seconds: 60 });
    expect((await plug()).cut.store).to.be.a('string');
    expect((await ask('GET', `/order/${uuid}`)).status).to.equal(503);
    expect((await ask('GET', '/readyz')).body).to.deep.equal({ missing: ['store'] });
    await ask('POST', '/plug/cut', { what: 'store', seconds: 1 });
    await until('it is mended', LIMIT_MS, async () => (await plug()).cut.store === null);
    await rests(uuid);
    await isClean();
  });

  it('cuts the broker off: an order that is accepted meanwhile goes on afterwards', async () => {
    const first = await order();
    await rests(first);
    await ask('POST', '/plug/cut', { what: 'broker', seconds: 60 });
    const second = await order();
    expect(await statusOf(second)).to.equal('RECEIVED');
    await ask('POST', '/plug/cut', { what: 'broker', seconds: 1 });
    await until('it is mended', LIMIT_MS, async () => (await plug()).cut.broker === null);
    // Nobody need wait for the sweep, which would do the same.
    expect((await ask('POST', `/sagas/${second}/announce`)).status).to.be.lessThan(300);
    await rests(second);
    await isClean();
  });

  it('publishes the last message, or all of them, once more, and nothing changes', async () => {
    expect((await ask('POST', '/plug/duplicate')).status).to.equal(409);
    await rests(await order());
    const before = await allDocuments(local.ports.store, pipeline);
    const { recorded } = await plug();
    expect(recorded).to.be.greaterThan(3);
    expect((await ask('POST', '/plug/duplicate')).body.messages).to.equal(1);
    expect((await ask('POST', '/plug/replay')).body).to.deep.equal({
      done: `published ${recorded} messages once more`,
      messages: recorded,
    });
    // Behind all of them: once it rests, they have been read.
    await rests(await order());
    const after = await allDocuments(local.ports.store, pipeline);
    const ledgers = [...before].filter(([path]) => path.startsWith('sagas/'));
    expect(ledgers).to.not.be.empty;
    expect(ledgers.map(([path]) => [path, after.get(path)])).to.deep.equal(ledgers);
    await isClean();
  });

  it('refuses what it does not know, and bounds how long anything lasts', async () => {
    for (const [path, body, fields] of [
      ['/plug/crash', { service: 'nobody' }, ['service']],
      ['/plug/freeze', { service: STEP, seconds: 61 }, ['seconds']],
      ['/plug/freeze', { service: STEP, seconds: 0 }, ['seconds']],
      ['/plug/cut', { what: 'tongue', seconds: 1.5 }, ['what', 'seconds']],
      ['/plug/cut', { what: 'store', seconds: 1, forever: true }, ['forever']],
    ] as const) {
      const { status, body: problem } = await ask('POST', path, body);
      expect([status, problem.errors?.map(({ field }: { field: string }) => field)]).to.deep.equal([
        400,
        fields,
      ]);
    }
    expect(crashes).to.equal(0);
  });

  it('[anomaly 39] refuses a page of another site, also one whose name was made to point here', async () => {
    // With fetch, a test can't choose its host.
    const statusFor = (method: string, path: string, headers: Record<string, string>) =>
      new Promise((resolve, reject) => {
        const sending = request(local.url + path, { method, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sending.on('error', reject);
        sending.end();
      });
    for (const headers of [
      { origin: 'https://elsewhere.example' },
      { 'sec-fetch-site': 'cross-site' },
      { host: 'elsewhere.example:8080' },
    ]) {
      expect(await statusFor('GET', '/plug', headers)).to.equal(403);
      for (const path of ['crash', 'freeze', 'cut', 'duplicate', 'replay']) {
        expect(await statusFor('POST', `/plug/${path}`, headers), path).to.equal(403);
      }
    }
    expect(await statusFor('GET', '/plug', {})).to.equal(200);
    expect(crashes).to.equal(0);
  });
});
