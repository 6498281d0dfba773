import { defineConfig } from "vitest/config";

const NAME = "snom-phone-card.js";

// One module with a steady name: its URL has the version. What it is built from, and nothing of the folder or the time,
// decides its bytes.
export default defineConfig({
  build: {
    outDir: "../custom_components/snom_buttons/frontend",
    emptyOutDir: false,
    target: "es2022",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: "src/main.ts",
      output: { entryFileNames: NAME, inlineDynamicImports: true },
    },
  },
  // Lit's license asks for its notice
  esbuild: { legalComments: "eof" },
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.ts"],
    setupFiles: "test/setup.ts",
  },
});
