// Lit's notice that tests run its development build, which warns of mistakes.
Object.assign(globalThis, { litIssuedWarnings: new Set(["dev-mode"]) });
