/** A request to a server outside of the system. */
export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How long the whole exchange may take, to the end of the answer, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Posts a text. It may reach the server although an error is thrown, and no redirect is followed.
 * @returns the status of the answer. What the answer says is nobody's affair.
 * @throws Error, which names neither URL nor headers, if no whole answer came in time.
 */
export type Post = (request: PostRequest) => Promise<number>;
