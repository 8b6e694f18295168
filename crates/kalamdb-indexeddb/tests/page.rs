//! The conformance suite on IndexedDB in a page.
#![cfg(target_arch = "wasm32")]

mod support;
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
kalamdb_store::conformance_tests!(
    #[wasm_bindgen_test::wasm_bindgen_test]
    support::IdbHarness
);
