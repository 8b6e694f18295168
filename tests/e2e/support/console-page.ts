import { expect, type Locator, type Page } from '@playwright/test';

/** The demo as a person uses it. */
export class ConsolePage {
  readonly page: Page;
  readonly editor: Locator;
  readonly panels: Locator;
  readonly status: Locator;

  private constructor(page: Page) {
    this.page = page;
    this.editor = page.getByRole('textbox', { name: 'SQL' });
    this.panels = page.locator('#results article');
    this.status = page.getByRole('status');
  }

  /** Loads the page and waits until its database is open. */
  static async open(page: Page, url: string): Promise<ConsolePage> {
    await page.goto(url);
    const demo = new ConsolePage(page);
    await demo.ready();
    return demo;
  }

  async ready(): Promise<void> {
    await expect(this.status).toContainText('Ready');
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** Replaces the editor's text, as typing over a selection does. */
  async type(sql: string): Promise<void> {
    await this.editor.click();
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(sql);
  }

  /** Runs what the editor holds and waits for the end. */
  async run(): Promise<void> {
    await this.editor.press('ControlOrMeta+Enter');
    await this.finished();
  }

  async finished(): Promise<void> {
    await expect(this.page.locator('#results')).toHaveAttribute('aria-busy', 'false');
    await expect(this.page.locator('#run-note')).toHaveText(/^(\d[\d,]* statements? in|Failed after) /);
  }

  async execute(sql: string): Promise<void> {
    await this.type(sql);
    await this.run();
  }

  /** The texts of a panel's rows that are in the document, without the row numbers. There must be one at least. */
  async rows(panel: Locator): Promise<string[][]> {
    await expect(panel.getByRole('cell').first()).toBeVisible();
    return panel
      .locator('.grid-body [role=row]')
      .evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll('[role=cell]')].map((cell) => cell.textContent ?? '')),
      );
  }

  /** Shows one of the views, also where a narrow screen shows only one at a time. */
  async show(view: 'Console' | 'Tables' | 'History'): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: view }).click();
  }
}
