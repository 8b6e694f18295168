/** Values in the browser's local storage, for as long as it lets them be. */

const PREFIX = 'kalamdb-demo.';

/** Reads a remembered value; `fallback` where there is none, or storage is blocked. */
export function recall<T>(key: string, fallback: T, isValid: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(PREFIX + key);
    const value: unknown = text === null ? undefined : JSON.parse(text);
    return isValid(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

/** Remembers a value. Preferences are a convenience: where storage is blocked or full they are simply not kept. */
export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Nothing depends on it.
  }
}
