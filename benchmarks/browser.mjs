// One release in Pyodide: node browser.mjs PYODIDE WHEELS(JSON) FOLDER(with release.toml and its tables) OUT(json)
import fs from "node:fs";
const [pyodide, wheels, folder, out] = process.argv.slice(2);
const began = performance.now();
const { loadPyodide } = await import(`${pyodide}/pyodide.mjs`);
const py = await loadPyodide({ indexURL: `${pyodide}/` });
for (const wheel of JSON.parse(wheels)) py.unpackArchive(new Uint8Array(fs.readFileSync(wheel)), "wheel");
py.runPython("import caseveil.produce");
const started = (performance.now() - began) / 1000;
py.FS.mkdir("/cases");
for (const name of fs.readdirSync(folder)) py.FS.writeFile(`/cases/${name}`, fs.readFileSync(`${folder}/${name}`));
py.FS.chdir("/cases");
const said = JSON.parse(py.runPython(fs.readFileSync(new URL("browser_job.py", import.meta.url), "utf8")));
fs.writeFileSync(out, JSON.stringify({ ...said, start_s: started, memory_mib: py._module.HEAPU8.length / 2 ** 20 }));
