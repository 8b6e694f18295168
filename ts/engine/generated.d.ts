/** Made by build.mjs out of what wasm-bindgen generates: a function instead of a module, so that it can run twice. */
declare module 'kalamdb:bindings' {
  export const makeBindings: import('./bindings.js').MakeBindings;
}
