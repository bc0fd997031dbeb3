// The Kubernetes client for Node.js, as dashboards and operators use it: it makes, lists, watches, patches and deletes
// an object of every kind that the server keeps, and watches over a websocket as a page in a browser does.
//
// Usage: node client.mjs OBJECTS. KUBECONFIG names the loop. Ends with 0, or with what was not as it should be.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as k8s from '@kubernetes/client-node';
import fetch from 'node-fetch';
import WebSocket from 'ws';

const NAMESPACE = 'default';
const PAGE = 'https://dashboard.example';
const BEARER = 'base64url.bearer.authorization.k8s.io.';

const config = new k8s.KubeConfig();
config.loadFromFile(process.env.KUBECONFIG);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);
const custom = config.makeApiClient(k8s.CustomObjectsApi);

async function get(path) {
  const answer = await fetch(config.getCurrentCluster().server + path, await config.applyToFetchOptions({}));
  assert.equal(answer.status, 200, path);
  return answer.json();
}

/** Lists what the server keeps. The client's models want what the API says is there. */
async function readEverything() {
  const core = config.makeApiClient(k8s.CoreV1Api);
  const rbac = config.makeApiClient(k8s.RbacAuthorizationV1Api);
  const apps = config.makeApiClient(k8s.AppsV1Api);
  const lists = await Promise.all([
    core.listNamespace(), core.listNode(), core.listPodForAllNamespaces(), core.listEventForAllNamespaces(),
    core.listConfigMapForAllNamespaces(), core.listSecretForAllNamespaces(), core.listServiceForAllNamespaces(),
    core.listServiceAccountForAllNamespaces(), core.listPersistentVolumeClaimForAllNamespaces(),
    rbac.listClusterRole(), rbac.listClusterRoleBinding(), rbac.listRoleForAllNamespaces(),
    rbac.listRoleBindingForAllNamespaces(), apps.listDeploymentForAllNamespaces(),
    apps.listStatefulSetForAllNamespaces(), apps.listDaemonSetForAllNamespaces(),
    config.makeApiClient(k8s.CoordinationV1Api).listLeaseForAllNamespaces(),
    config.makeApiClient(k8s.PolicyV1Api).listPodDisruptionBudgetForAllNamespaces(),
    config.makeApiClient(k8s.NetworkingV1Api).listNetworkPolicyForAllNamespaces(),
    config.makeApiClient(k8s.SchedulingV1Api).listPriorityClass(),
    config.makeApiClient(k8s.CertificatesV1Api).listCertificateSigningRequest(),
    config.makeApiClient(k8s.ApiextensionsV1Api).listCustomResourceDefinition(),
    config.makeApiClient(k8s.ApiregistrationV1Api).listAPIService(),
  ]);
  for (const list of lists) assert.ok(Array.isArray(list.items) && list.metadata.resourceVersion, list.kind);
  const { gitVersion } = await config.makeApiClient(k8s.VersionApi).getCode();
  assert.match(gitVersion, /^v1\./);
}

/** "GROUP/KIND" of all that can be made, listed and watched. */
async function kindsServed() {
  const versions = [['', '/api/v1']];
  for (const group of (await get('/apis')).groups) {
    for (const version of group.versions) versions.push([group.name, `/apis/${version.groupVersion}`]);
  }
  const kinds = new Set();
  for (const [group, path] of versions) {
    for (const { name, kind, verbs } of (await get(path)).resources) {
      const all = ['create', 'list', 'watch', 'patch', 'delete'].every((verb) => verbs?.includes(verb));
      if (all && !name.includes('/')) kinds.add(`${group}/${kind}`);
    }
  }
  return [...kinds].sort();
}

/** The types of the object's events behind that version, up to the one that says it is gone. */
function eventsOf(path, name, resourceVersion) {
  return new Promise((resolve, reject) => {
    const types = [];
    const query = { fieldSelector: `metadata.name=${name}`, resourceVersion, timeoutSeconds: 60 };
    new k8s.Watch(config).watch(path, query, (type) => {
      types.push(type);
      if (type === 'DELETED') resolve(types);
    }, (error) => reject(error ?? new Error(`the watch on ${path} ended after ${types}`)));
  });
}

/** Two ways to the same calls: of kinds that the client knows or discovers, and of custom objects. */
function callsFor(manifest, plural) {
  const [group, version] = manifest.apiVersion.split('/');
  if (group !== 'kubevirt.io') {
    const merge = k8s.PatchStrategy.MergePatch;
    return {
      create: () => objects.create(manifest),
      list: () => objects.list(manifest.apiVersion, manifest.kind, manifest.metadata.namespace),
      read: () => objects.read(manifest),
      patch: (change) => {
        const whole = { ...manifest, metadata: { ...manifest.metadata, ...change.metadata } };
        return objects.patch(whole, undefined, undefined, undefined, undefined, merge);
      },
      remove: () => objects.delete(manifest),
    };
  }
  const place = { group, version, namespace: NAMESPACE, plural };
  const one = { ...place, name: manifest.metadata.name };
  const merge = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch);
  return {
    create: () => custom.createNamespacedCustomObject({ ...place, body: manifest }),
    list: () => custom.listNamespacedCustomObject(place),
    read: () => custom.getNamespacedCustomObject(one),
    patch: (change) => custom.patchNamespacedCustomObject({ ...one, body: change }, merge),
    remove: () => custom.deleteNamespacedCustomObject(one),
  };
}

async function use(manifest) {
  const { kind, metadata: { name } } = manifest;
  const resource = await objects.resource(manifest.apiVersion, kind);
  if (resource.namespaced) manifest.metadata.namespace = NAMESPACE;
  const base = manifest.apiVersion.includes('/') ? `/apis/${manifest.apiVersion}` : `/api/${manifest.apiVersion}`;
  const path = `${base}${resource.namespaced ? `/namespaces/${NAMESPACE}` : ''}/${resource.name}`;
  const calls = callsFor(manifest, resource.name);

  const made = await calls.create();
  assert.ok(made.metadata.uid, kind);
  const gone = eventsOf(path, name, made.metadata.resourceVersion);
  assert.ok((await calls.list()).items.some((item) => item.metadata.name === name), `${kind} is not listed`);
  const patched = await calls.patch({ metadata: { labels: { by: 'client' } } });
  assert.equal(patched.metadata.labels.by, 'client', kind);
  assert.equal((await calls.read()).metadata.labels.by, 'client', kind);
  await calls.remove();
  const types = await gone;
  assert.ok(types.includes('MODIFIED'), `${kind}: ${types}`);
  await assert.rejects(calls.read(), (error) => error.code === 404, `${kind} is still there`);
}

/** Opens a watch as a page does: it can set no header, so that its token is a subprotocol. */
function openWatch(path, protocols) {
  const cluster = config.getCurrentCluster();
  const ca = Buffer.from(cluster.caData, 'base64');
  return new WebSocket(cluster.server.replace('https:', 'wss:') + path, protocols, { ca, origin: PAGE });
}

function refusal(path, protocols) {
  return new Promise((resolve, reject) => {
    const socket = openWatch(path, protocols);
    socket.on('unexpected-response', (_, answer) => { resolve(answer.statusCode); answer.destroy(); });
    socket.on('open', () => reject(new Error(`${path} was opened`)));
    socket.on('error', () => {});
  });
}

async function watchAsAPage() {
  const token = BEARER + Buffer.from(config.getCurrentUser().token).toString('base64url');
  const path = '/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Ddefault';
  const socket = openWatch(path, [token, 'base64.binary.k8s.io']);
  const event = await new Promise((resolve, reject) => {
    socket.on('message', (data, isBinary) => (isBinary ? reject(new Error('binary')) : resolve(JSON.parse(data))));
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
  });
  assert.deepEqual([event.type, event.object.metadata.name], ['ADDED', 'default']);
  assert.equal(socket.protocol, 'base64.binary.k8s.io');
  const closed = new Promise((resolve) => { socket.removeAllListeners('close'); socket.on('close', resolve); });
  socket.ping('are you there');
  await new Promise((resolve) => { socket.on('pong', resolve); });
  socket.close(1000);
  assert.equal(await closed, 1000);
  assert.equal(await refusal(path, [token]), 401);
  assert.equal(await refusal(path, [`${BEARER}Z3Vlc3M`, 'x']), 401);
}

const manifests = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const groupOf = (apiVersion) => (apiVersion.includes('/') ? apiVersion.split('/')[0] : '');
assert.deepEqual(await kindsServed(), manifests.map(({ apiVersion, kind }) => `${groupOf(apiVersion)}/${kind}`).sort());
await readEverything();
for (const manifest of manifests) await use(manifest);
await watchAsAPage();
console.log('node client: done');
process.exit(0); // its watches keep connections open
