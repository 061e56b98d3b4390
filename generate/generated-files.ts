import type { Service } from '../saga/deliver/service.ts';
import { declareTopology } from '../saga/deliver/topology.ts';
import type { Saga } from '../saga/step/saga.ts';
import { bigqueryColumns } from './bigquery-columns.ts';
import { composeLines, workflowLines } from './containers.ts';
import { firestoreIndexes } from './firestore-indexes.ts';
import { type Fragment, markdownFragment, withFragments, yamlFragment } from './fragment.ts';
import { jsonText } from './json-text.ts';
import { endOf } from './order-end.ts';
import { flowchart, stateDiagram, stateLine } from './pictures.ts';
import { factsOf } from './service-facts.ts';
import {
  announcementTable,
  documentTable,
  functionTable,
  peopleSentence,
  reasonTable,
  statusTable,
  topicTable,
} from './tables.ts';

/** A file that is generated from the saga, as a whole or in fragments. */
export interface GeneratedFile {
  /** The path from the root of the package. */
  readonly path: string;
  /**
   * The text that the file must have.
   * @param current its present text; it does not matter for a file that is generated as a whole.
   * @throws Error that says which marker is wrong.
   */
  render(current: string): string;
}

/**
 * All files that are generated from a saga, so that each fact is written down once.
 * @param services all services of the saga, in its order.
 */
export function generatedFiles(
  saga: Saga,
  services: readonly Pick<Service, 'name' | 'routes'>[],
): readonly GeneratedFile[] {
  const facts = factsOf(saga, services);
  return [
    whole('infra/topology.json', { ...declareTopology(saga), ...endOf(saga), services: facts }),
    whole('infra/firestore.indexes.json', firestoreIndexes(saga)),
    whole('infra/bigquery-events.json', bigqueryColumns(saga)),
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
      markdownFragment('documents', documentTable(saga)),
    ),
    partly('docs/operations/alerts.md', markdownFragment('announcements', announcementTable(saga))),
    partly('docs/operations/push-and-functions.md', markdownFragment('functions', functionTable(saga))),
  ];
}

const whole = (path: string, value: object): GeneratedFile => ({ path, render: () => jsonText(value) });

const partly = (path: string, ...fragments: readonly Fragment[]): GeneratedFile => ({
  path,
  render: (current) => withFragments(current, fragments),
});
