// Builds the viewer and its button: two ES modules and one style sheet, into the Python package.
import { stat } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const here = new URL("./", import.meta.url)
const output = new URL("../reactor_nb/static/", here)

const shared = {
  absWorkingDir: fileURLToPath(here),
  bundle: true,
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  target: ["chrome123", "firefox124", "safari17.5"],
}

const products = [
  { entryPoints: ["src/widget.ts"], format: "esm", outfile: fileURLToPath(new URL("viewer.js", output)) },
  { entryPoints: ["src/button.ts"], format: "esm", outfile: fileURLToPath(new URL("button.js", output)) },
  { entryPoints: ["src/style.css"], outfile: fileURLToPath(new URL("viewer.css", output)) },
]

for (const product of products) {
  await build({ ...shared, ...product })
  const { size } = await stat(product.outfile)
  console.log(`${product.outfile.split(/[\\/]/).at(-1)}  ${(size / 1024).toFixed(1)} kB`)
}
