// What software written with fhir-kit-client does with a record: told by JSON on standard input, answered by JSON.
import { text } from 'node:stream/consumers';
import { Client } from 'fhir-kit-client';

const { base, token, record, document, bundle, mask } = JSON.parse(await text(process.stdin));
const client = new Client({ baseUrl: base, bearerToken: token });
const stranger = new Client({ baseUrl: base, bearerToken: 'no token' });

const refusal = async (request) => {
  try {
    await request;
    return null;
  } catch (error) {
    return [error.response.status, error.response.data.issue[0].details.coding[0].code];
  }
};

const capability = await client.capabilityStatement();
const created = await client.create({ resourceType: 'DocumentReference', body: document });
const transaction = await client.transaction({ body: bundle });
const read = await client.read({ resourceType: 'DocumentReference', id: created.id });

const searchParams = { patient: record, status: 'current', _count: 2 };
const pages = [await client.search({ resourceType: 'DocumentReference', searchParams })];
while (pages.at(-1).link.some((link) => link.relation === 'next')) {
  pages.push(await client.nextPage({ bundle: pages.at(-1) }));
}
const posted = await client.search({
  resourceType: 'DocumentReference', searchParams, options: { postSearch: true },
});

const patched = await client.patch({ resourceType: 'DocumentReference', id: created.id, jsonPatch: mask });
const version = await client.vread({ resourceType: 'DocumentReference', id: created.id, version: 1 });
const history = await client.resourceHistory({ resourceType: 'DocumentReference', id: created.id });
const binary = await client.read({ resourceType: 'Binary', id: created.id });
const missing = `${record}.1t3yr80qm0aaaaaaaaaaaaaaaa`;

console.log(JSON.stringify({
  fhirVersion: capability.fhirVersion,
  sameAsRead: read.id === created.id && read.meta.versionId === '1',
  transaction: transaction.entry.map((entry) => entry.response.status.slice(0, 3)),
  found: pages.map((page) => page.entry.length),
  postedTheSame: JSON.stringify(posted.entry) === JSON.stringify(pages[0].entry),
  labels: patched.securityLabel.map((label) => label.coding[0].code),
  labelsBefore: version.securityLabel.map((label) => label.coding[0].code),
  history: history.entry.map((entry) => entry.response.etag),
  binary: binary.contentType,
  missing: await refusal(client.read({ resourceType: 'DocumentReference', id: missing })),
  stranger: await refusal(stranger.read({ resourceType: 'DocumentReference', id: created.id })),
}));
