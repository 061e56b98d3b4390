import type { Service } from '../saga/deliver/service.ts';
import { declareTopology } from '../saga/deliver/topology.ts';
import type { Saga } from '../saga/step/saga.ts';
import { composeLines, workflowLines } from './containers.ts';
import { firestoreIndexes } from './firestore-indexes.ts';
import { type Fragment, markdownFragment, withFragments, yamlFragment } from './fragment.ts';
import { jsonText } from './json-text.ts';
import { flowchart, stateDiagram, stateLine } from './pictures.ts';
import { factsOf } from './service-facts.ts';
import { peopleSentence, reasonTable, statusTable, topicTable } from './tables.ts';

/** A file that says what follows from the saga, wholly or in fragments. */
export interface GeneratedFile {
  /** From the root of the package. */
  readonly path: string;
  /**
   * What the file must be.
   * @param current what it is; of a file that is generated wholly, it does not matter.
   * @throws Error that says which marker is wrong.
   */
  render(current: string): string;
}

/**
 * All files that say what follows from a saga, so that nobody writes it down twice.
 * @param services all services of the saga, of which nothing is called.
 */
export function generatedFiles(
  saga: Saga,
  services: readonly Pick<Service, 'name' | 'routes'>[],
): readonly GeneratedFile[] {
  const facts = factsOf(saga, services);
  return [
    whole('infra/topology.json', { ...declareTopology(saga), services: facts }),
    whole('infra/firestore.indexes.json', firestoreIndexes(saga)),
    partly('infra/compose.yaml', yamlFragment(composeLines(facts))),
    partly('.github/workflows/check.yml', yamlFragment(workflowLines(saga, facts))),
    partly(
      'README.md',
      markdownFragment('the saga', [...flowchart(saga), '', ...stateLine(saga)]),
      markdownFragment('subscriptions for people', peopleSentence(saga)),
    ),
    partly(
      'docs/architecture.md',
      markdownFragment('moves', stateDiagram(saga)),
      markdownFragment('statuses', statusTable(saga)),
      markdownFragment('reasons', reasonTable(saga)),
      markdownFragment('topics', topicTable(saga)),
    ),
  ];
}

const whole = (path: string, value: object): GeneratedFile => ({ path, render: () => jsonText(value) });

const partly = (path: string, ...fragments: readonly Fragment[]): GeneratedFile => ({
  path,
  render: (current) => withFragments(current, fragments),
});
