import type { OutgoingMessage, PublishResult } from '../../saga/ports/bus.ts';
import type { Recorder } from './recorder.ts';

/** The plug of a stack on this machine: what people may break on purpose, to see it recover. Nothing of it exists on Google Cloud. */
export interface Plug {
  /** Whether each service is a process of its own. */
  readonly separate: boolean;
  readonly services: readonly string[];
  stateOf(service: string): ServiceState;
  /** Until when the services don't reach it; undefined if they do. */
  cutUntil(what: Cuttable): Date | undefined;
  /**
   * Kills the process of a service with SIGKILL; it is then started again.
   * @throws Problem if there is no process now.
   */
  crash(service: string): void;
  /**
   * A service does nothing for so many seconds from now.
   * @throws Problem if there is no process now.
   */
  freeze(service: string, seconds: number): void;
  /** The services don't reach the store or the broker for so many seconds from now. */
  cut(what: Cuttable, seconds: number): void;
  /** What was published since the stack was started. */
  readonly recorded: Pick<Recorder, 'messages' | 'droppedCount'>;
  /** Publishes messages once more. */
  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]>;
  /** Mends what is broken now, so that the stack can stop in order. */
  close(): Promise<void>;
}

export type ServiceState = 'running' | 'starting' | 'frozen';

export const CUTTABLE = ['store', 'broker'] as const;
export type Cuttable = (typeof CUTTABLE)[number];
