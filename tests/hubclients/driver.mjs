// Run by Node in the environment of @huggingface/hub: URL REPOSITORY PATH FOLDER. Tells on standard output what was pulled.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { readdir } from "node:fs/promises";
import { downloadFile, fileDownloadInfo, listFiles, snapshotDownload } from "@huggingface/hub";

const [hubUrl, repo, path, folder] = process.argv.slice(2);
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

async function filesIn(place) {
  const found = {};
  for (const each of await readdir(place, { recursive: true, withFileTypes: true })) {
    if (each.isDirectory()) continue;
    const name = join(each.parentPath ?? each.path, each.name);
    found[relative(place, name)] = sha256(readFileSync(name));
  }
  return found;
}

try {
  const files = [];
  for await (const each of listFiles({ repo, hubUrl, recursive: true })) if (each.type === "file") files.push(each.path);
  const info = await fileDownloadInfo({ repo, path, hubUrl });
  const blob = await downloadFile({ repo, path, hubUrl });
  const data = Buffer.from(await blob.arrayBuffer());
  const cacheDir = mkdtempSync(join(folder, "js-"));
  let snapshot = {};
  if (process.argv[6] !== "--no-snapshot") snapshot = await filesIn(await snapshotDownload({ repo, hubUrl, cacheDir }));
  const none = await fileDownloadInfo({ repo, path: "none", hubUrl });
  files.sort();
  console.log(JSON.stringify({ files, info: { size: info.size, etag: info.etag }, sha256: sha256(data), snapshot, none }));
} catch (error) {
  console.error(String(error?.message ?? error));
  process.exitCode = 1;
}
