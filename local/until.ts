const POLL_MS = 50;

/**
 * Waits for a condition, asking again and again.
 * @throws Error that names the condition when it has not come true within `limitMs`.
 */
export async function until(
  condition: string,
  limitMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${limitMs / 1000} s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
