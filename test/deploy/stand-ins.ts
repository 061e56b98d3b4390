import { CANCELED } from '../../saga/ledger/ledger.ts';

/**
 * What gcloud, terraform, curl, git and sleep answer where `infra/deploy` and `infra/roll-out` are tried: as Google would in a
 * world of these few facts, and with the words of a failure where a spec says so.
 */

/** What a program says instead of doing what it is asked to, and how often. */
export interface Fault {
  /** The beginning of the call, such as `gcloud builds submit`. */
  readonly call: string;
  /** What it prints, word for word as the real one does. */
  readonly says: string;
  readonly times: number;
  /** The service that is left in Terraform's state as half made. */
  readonly taints?: string;
}

export interface World {
  readonly isSignedIn: boolean;
  /** What Git says: the tag, where in a repository this is, and what is not committed. */
  readonly tag: string;
  readonly isBelow: string;
  readonly unsaved: string;
  readonly faults: readonly Fault[];
  /** Whether the hashes of the provider are committed. */
  readonly isLocked: boolean;
  readonly images: readonly string[];
  /** What Terraform has made: nothing, the ground, or the services, too. */
  readonly made: 'nothing' | 'ground' | 'all';
  readonly isProtected: boolean;
  /** What stands in Terraform's state as half made, and which of it Google has no more. */
  readonly tainted: readonly string[];
  readonly gone: readonly string[];
  /** How often the order was looked at, and whether its word was said. */
  readonly looks: number;
  readonly isHeard: boolean;
  /** Why the order is canceled, if it is. */
  readonly canceledFor?: string;
  /** The revisions of each service, the newest last, and the percentage that goes to each that gets any, or to the `latest`. */
  readonly revisions: Readonly<Record<string, readonly string[]>>;
  readonly traffic: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** After how many looks at the alerts one of them opens; never, if undefined. */
  readonly alertAfter?: number;
  /** After how many looks the alerts can't be looked at any more. */
  readonly alertsFailAfter?: number;
  readonly alertLooks: number;
  /** The beginning of a call during which the program gets a signal, alone or with its group; the call may last until the next one. */
  readonly signal?:
    | { readonly during: string; readonly toGroup?: boolean; readonly untilNextCall?: boolean }
    | undefined;
}

/** What Terraform says in the end. */
export const APPLIED = 'Apply complete!';

export const freshWorld: World = {
  isSignedIn: true,
  tag: 'v0.3.0',
  isBelow: '',
  unsaved: '',
  faults: [],
  isLocked: false,
  images: [],
  made: 'nothing',
  isProtected: true,
  tainted: [],
  gone: [],
  looks: 0,
  isHeard: false,
  revisions: {},
  traffic: {},
  alertLooks: 0,
};

type Text = (path: string) => string | undefined;

/** What a program prints, or with what words it fails; and what is different afterwards. */
export type Answer = { readonly says?: string; readonly fails?: string } & Partial<World>;

/**
 * @param call the program and its arguments.
 * @param text the text of a file in the copy that is tried, if it is there.
 */
export function answer(world: World, call: readonly string[], text: Text): Answer {
  const line = call.join(' ');
  const fault = world.faults.find(({ call: begin, times }) => line.startsWith(begin) && times > 0);
  if (fault !== undefined) {
    const faults = world.faults.map((one) => (one === fault ? { ...one, times: one.times - 1 } : one));
    const tainted = fault.taints === undefined ? world.tainted : [...world.tainted, fault.taints];
    return { faults, tainted, fails: fault.says };
  }
  const answers: Record<string, (world: World, rest: readonly string[], text: Text) => Answer> = {
    gcloud,
    terraform,
    curl,
    git: (_, [verb = '']) => {
      if (verb === 'ls-files' && !world.isLocked) return { fails: 'error: pathspec' };
      const says = { describe: world.tag, 'rev-parse': world.isBelow, status: world.unsaved }[verb];
      return { says: says ?? '' };
    },
    sleep: () => ({}),
  };
  const [program = '', ...rest] = call;
  return answers[program]?.(world, rest, text) ?? { fails: `${program}: command not found` };
}

function gcloud(world: World, call: readonly string[]): Answer {
  const line = call.join(' ');
  const is = (begin: string) => line.startsWith(begin);
  if (is('auth list')) return { says: world.isSignedIn ? 'jill@example.com' : '' };
  if (is('auth print-identity-token')) return { says: 'a-token-that-no-one-else-may-see' };
  if (is('artifacts docker images describe')) {
    return world.images.includes(call[4] ?? '')
      ? { says: 'digest: sha256:0123' }
      : { fails: 'ERROR: (gcloud.artifacts.docker.images.describe) Image not found.' };
  }
  if (is('builds submit')) {
    const [, image = '', tag = ''] = /_IMAGE=([^,]+),_TAG=(\S+)/.exec(line) ?? [];
    return { images: [...world.images, `${image}:${tag}`] };
  }
  if (is('run services d')) {
    const [, , verb = '', name = ''] = call;
    if (world.gone.includes(name) || !world.tainted.includes(name)) {
      return { fails: `ERROR: (gcloud.run.services.${verb}) Cannot find service [${name}]` };
    }
    return verb === 'delete' ? { gone: [...world.gone, name] } : { says: `Service ${name}` };
  }
  if (is('pubsub topics publish')) return { isHeard: true };
  return cloudRun(world, call);
}

/** The parts that a roll-out uses. */
function cloudRun(world: World, call: readonly string[]): Answer {
  const line = call.join(' ');
  const name = call[3] ?? '';
  if (line.startsWith('run services list')) {
    const services = Object.entries(world.revisions).map(([service, revisions]) => ({
      metadata: { name: service },
      status: {
        latestReadyRevisionName: revisions.at(-1),
        // Google leaves out what is empty.
        ...(world.traffic[service] !== undefined && {
          traffic: Object.entries(world.traffic[service]).map(([revision, percent]) =>
            revision === 'latest'
              ? { revisionName: revisions.at(-1), percent, latestRevision: true }
              : { revisionName: revision, percent },
          ),
        }),
      },
    }));
    return { says: JSON.stringify(services) };
  }
  if (line.startsWith('run services update-traffic')) {
    const [, asked] = /--to-revisions=(\S+)/.exec(line) ?? [];
    const shares = Object.fromEntries(
      (asked ?? 'latest=100').split(',').map((share) => {
        const [revision = '', percent] = share.split('=');
        return [revision, Number(percent)];
      }),
    );
    return { traffic: { ...world.traffic, [name]: shares } };
  }
  if (line.startsWith('monitoring alerts list')) {
    if (world.alertLooks >= (world.alertsFailAfter ?? Number.POSITIVE_INFINITY)) {
      return { fails: 'ERROR: (gcloud.monitoring.alerts.list) PERMISSION_DENIED' };
    }
    const isOpen = world.alertAfter !== undefined && world.alertLooks >= world.alertAfter;
    const alert = {
      name: 'projects/my-project/alerts/1',
      policy: { displayName: 'order-saga: Pushes fail' },
    };
    return { says: JSON.stringify(isOpen ? [alert] : []), alertLooks: world.alertLooks + 1 };
  }
  return {};
}

function terraform(world: World, [, ...call]: readonly string[], text: Text): Answer {
  const line = call.join(' ');
  if (line.startsWith('output')) {
    const ofGround: Record<string, string> = {
      build_region: 'us-central1',
      repository: 'europe-west1-docker.pkg.dev/my-project/order-saga/order-saga',
    };
    const outputs: Record<World['made'], Record<string, string>> = {
      nothing: {},
      ground: ofGround,
      all: { ...ofGround, url: 'https://frontend-123456789012.europe-west1.run.app' },
    };
    const name = call.at(-1) ?? '';
    const says = outputs[world.made][name];
    return says === undefined ? { fails: `Error: Output "${name}" not found` } : { says };
  }
  if (line.startsWith('show')) return { says: JSON.stringify(stateOf(world)) };
  if (text('infra/terraform/terraform.tfvars') === undefined && !line.startsWith('init'))
    return { fails: 'Error: No value for required variable' };
  if (line.startsWith('apply')) {
    const isProtected = !line.includes('deletion_protection=false');
    if (line.includes('-target=terraform_data.groundwork')) {
      return { says: APPLIED, made: world.made === 'all' ? 'all' : 'ground', isProtected };
    }
    if (world.tainted.some((name) => !world.gone.includes(name))) {
      return {
        fails:
          'Error: cannot destroy service without setting deletion_protection=false and running `terraform apply`',
      };
    }
    const revisions = Object.fromEntries(
      Object.entries(world.revisions).map(([name, all]) => [name, [...all, `${name}-${all.length + 1}`]]),
    );
    return {
      says: APPLIED,
      made: line.includes('-target=') ? world.made : 'all',
      isProtected,
      revisions,
      tainted: [],
      gone: [],
    };
  }
  if (line.startsWith('destroy')) {
    if (world.isProtected) {
      return {
        fails:
          'Error: cannot destroy service without setting deletion_protection=false and running `terraform apply`',
      };
    }
    return { made: 'nothing', images: [], isProtected: true };
  }
  return {};
}

/** As `terraform show -json` says it, as far as anything reads it. */
function stateOf({ made, isProtected, tainted }: World): object {
  if (made === 'nothing') return { format_version: '1.0' };
  const service = (name: string, isTainted: boolean) => ({
    address: `google_cloud_run_v2_service.service["${name}"]`,
    type: 'google_cloud_run_v2_service',
    ...(isTainted && { tainted: true }),
    values: { name, deletion_protection: isProtected },
  });
  const resources = [
    {
      address: 'google_firestore_database.database',
      type: 'google_firestore_database',
      values: {
        name: '(default)',
        delete_protection_state: isProtected ? 'DELETE_PROTECTION_ENABLED' : 'DELETE_PROTECTION_DISABLED',
      },
    },
    ...(made === 'all' ? [service('order', false)] : []),
    ...tainted.map((name) => service(name, true)),
  ];
  return { format_version: '1.0', values: { root_module: { resources } } };
}

/** An order that has two steps behind it when it is looked at first, and waits for its word then. */
function curl(world: World, call: readonly string[], text: Text): Answer {
  const uuid = 'f791f796-b1cb-40f2-a450-eeb892f15cc2';
  if (call.includes('POST')) return { says: JSON.stringify({ uuid }) };
  const { success, words } = JSON.parse(text('infra/topology.json') ?? '') as {
    success: string;
    words: Record<string, object>;
  };
  const way = ['CREATED', ...Object.keys(words)];
  const status = world.isHeard ? success : way[Math.min(world.looks, way.length - 1)];
  const reason = world.canceledFor;
  const order = reason === undefined ? { uuid, status } : { uuid, status: CANCELED, reason };
  return { says: JSON.stringify(order), looks: world.looks + 1 };
}
