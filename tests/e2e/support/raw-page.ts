import type { CDPSession, Page } from '@playwright/test';

/** A page as the browser shows it to a debugger, without Playwright's idea of what is in it. */
export class RawPage {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async attach(page: Page): Promise<RawPage> {
    const session = await page.context().newCDPSession(page);
    await session.send('Page.enable');
    return new RawPage(session);
  }

  /**
   * Waits until what `go` begins has led to another page.
   *
   * @returns how: `BackForwardCacheRestore` if the page was kept as it was
   */
  async visits(go: () => Promise<unknown>): Promise<string> {
    const arrived = new Promise<string>((resolve) =>
      this.#session.once('Page.frameNavigated', ({ type }) => resolve(type)),
    );
    await go();
    return arrived;
  }

  /** Evaluates an expression and waits for the promise that it may give. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.#session.send('Runtime.evaluate', {
      expression: `(async () => (${expression}))()`,
      awaitPromise: true,
      returnByValue: true,
    });
    const { exceptionDetails, result } = answer;
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  }
}
