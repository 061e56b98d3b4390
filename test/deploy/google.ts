import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../programs/config.ts';
import { answer, freshWorld, type World } from './stand-ins.ts';

/** A copy of what the programs of infra/ need, with stand-ins for whatever would reach Google. */
export interface Google {
  /** Runs a program, or a script for Bash, until it ends. */
  run(args: readonly string[], input?: string): Promise<{ code: number | null; said: string }>;
  /** All calls so far, each as one line, and forgets them. */
  calls(): string[];
  world(): World;
  change(part: Partial<World>): void;
  /** The text of a file, or undefined where there is none. */
  text(path: string): string | undefined;
  write(path: string, text: string): void;
}

const FILES = [
  'infra/deploy',
  'infra/roll-out',
  'infra/use-shared-state',
  'infra/topology.json',
  'infra/cloudbuild.yaml',
];
const TERRAFORM = ['project.tf', 'terraform.tfvars.example'].map((name) => `infra/terraform/${name}`);
const STAND_INS = ['gcloud', 'terraform', 'curl', 'git', 'sleep'];
/** What the programs call that stays on this machine. */
const TOOLS = [
  'awk',
  'bash',
  'cat',
  'comm',
  'cp',
  'date',
  'dirname',
  'env',
  'grep',
  'join',
  'jq',
  'mktemp',
  'rm',
  'sed',
  'sort',
  'tee',
  'tr',
];

const pathOf = (tool: string) =>
  (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, tool))
    .find((path) => existsSync(path));

/** What a stand-in for curl does first: what stands on its standard input is not left unread, and its answer goes where it is to go. */
const AS_CURL = `cat >/dev/null
args=()
while [ $# -gt 0 ]; do
  if [ "$1" = -o ]; then exec >"$2"; shift 2; else args+=("$1"); shift; fi
done
set -- "\${args[@]}"`;

/** A stand-in asks the spec what to say: a process of Node for each call would take ten times as long. */
const standIn = (name: string) => `#!/bin/bash
${name === 'terraform' ? "# It ends in good order.\ntrap '' TERM" : ''}
${name === 'curl' ? AS_CURL : ''}
answer=$(printf '%s\\0' ${name} "$@" |
  ${pathOf('curl')} -sS --unix-socket "$WORLD/socket" --data-binary @- -w '%{http_code}' http://stand-in/)
if [ "\${answer: -3}" = 200 ]; then printf '%s' "\${answer%???}"; exit; fi
printf '%s' "\${answer%???}" ${name === 'curl' ? '' : '>&2'}
exit 1
`;

/**
 * Makes worlds in which nothing has been deployed. Call it in a suite: it skips it, with the reason, where a tool is missing on this
 * machine.
 */
export function googleOfSuite(): { fresh(part?: Partial<World>): Promise<Google> } {
  const undo: (() => void)[] = [];
  before(function () {
    const missing = [...TOOLS, 'curl'].filter((tool) => pathOf(tool) === undefined);
    if (missing.length === 0) return;
    process.stdout.write(
      `*** The deployment is not rehearsed: there is no ${missing.join(', ')} on this machine\n`,
    );
    this.skip();
  });
  afterEach(() => {
    for (const step of undo.splice(0)) step();
  });
  return {
    async fresh(part = {}) {
      const folder = mkdtempSync(join(tmpdir(), 'order-saga-deploy-'));
      const { google, server } = makeGoogle(folder, part);
      undo.push(
        () => server.close(),
        () => rmSync(folder, { recursive: true }),
      );
      await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
      return google;
    },
  };
}

function makeGoogle(folder: string, part: Partial<World>): { google: Google; server: Server } {
  const file = (path: string) => join(folder, path);
  for (const path of [...FILES, ...TERRAFORM]) {
    mkdirSync(dirname(file(path)), { recursive: true });
    cpSync(fileURLToPath(new URL(path, packageRoot)), file(path));
  }
  const programs = file('programs');
  mkdirSync(programs);
  for (const name of STAND_INS) {
    writeFileSync(join(programs, name), standIn(name));
    chmodSync(join(programs, name), 0o755);
  }
  for (const tool of TOOLS) symlinkSync(pathOf(tool) ?? '', join(programs, tool));

  const text = (path: string) => (existsSync(file(path)) ? readFileSync(file(path), 'utf8') : undefined);
  let world: World = { ...freshWorld, ...part };
  let calls: string[] = [];
  let program: ChildProcess | undefined;
  let goOn = () => {};
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const call = body.split('\0').slice(0, -1);
    calls.push(call.join(' '));
    goOn();
    const { signal } = world;
    if (signal !== undefined && call.join(' ').startsWith(signal.during)) {
      world = { ...world, signal: undefined };
      const next = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      if (signal.toGroup) process.kill(-(program?.pid ?? 0), 'SIGTERM');
      else program?.kill('SIGTERM');
      if (signal.untilNextCall) await next;
    }
    const { says = '', fails, ...change } = answer(world, call, text);
    world = { ...world, ...change };
    response.writeHead(fails === undefined ? 200 : 500).end(`${fails ?? says}\n`);
  });
  const google: Google = {
    world: () => world,
    change: (changed) => {
      world = { ...world, ...changed };
    },
    text,
    write: (path, written) => writeFileSync(file(path), written),
    calls() {
      const all = calls;
      calls = [];
      return all;
    },
    run: (args, input = '') =>
      new Promise((resolve, reject) => {
        const child = spawn('bash', [...args], {
          cwd: folder,
          // The leader of a group of its own, which a signal can reach as a whole.
          detached: true,
          env: { PATH: programs, WORLD: folder, TMPDIR: folder, HOME: folder },
        });
        program = child;
        const said: Buffer[] = [];
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => said.push(chunk));
        child.once('error', reject);
        child.once('close', (code) => resolve({ code, said: Buffer.concat(said).toString() }));
        // A program that reads nothing may have ended before.
        child.stdin.once('error', () => {});
        child.stdin.end(input);
      }),
  };
  return { google, server };
}
