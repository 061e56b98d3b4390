/** The severities of Cloud Logging that the project uses. */
export type Severity = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** Writes one line: a sentence for people, fields for programs. A field that is undefined is no field. Must not throw. */
export type Log = (severity: Severity, message: string, fields?: Readonly<Record<string, unknown>>) => void;
