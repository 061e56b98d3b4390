import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { defineSaga, type Saga } from '../../saga/step/saga.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { steerRoutes } from './steer-routes.ts';

describe('Operators can', () => {
  const { pause: _, ...withoutPause } = pipeline;
  const steps = pipeline.steps.map(({ standIn: __, ...step }) => step);
  const pathsOf = async (declaration: object) =>
    steerRoutes(defineSaga(declaration as never) as Saga, await recordedPorts()).map(({ path }) => path);
  const both = ['/sagas/{uuid}/pause', '/sagas/{uuid}/resume'];
  const others = ['/sagas/{uuid}/fork', '/sagas/pause', '/sagas/resume'];

  it('pause, resume, fork and skip where orders can be paused and something stands in for a step', async () => {
    expect(await pathsOf(pipeline)).to.deep.equal([...both, '/sagas/{uuid}/skip', ...others]);
  });

  it('skip nothing where nothing stands in for a step', async () => {
    expect(await pathsOf({ ...pipeline, steps })).to.deep.equal([...both, ...others]);
  });

  it('steer no order where none can be paused', async () => {
    expect(await pathsOf(withoutPause)).to.deep.equal([]);
  });
});
