// Sends events by RudderStack's client for Node; see `Client.run` in tests/support/clients.py for the arguments.
const RudderAnalytics = require("@rudderstack/rudder-sdk-node");

const [host, key, count, start, gzip, world, ending] = process.argv.slice(2);
const quiet = { logLevel: "none", errorHandler: () => {} };
const client = new RudderAnalytics(key, { dataPlaneUrl: host, gzip: gzip === "gzip", ...quiet });
let failed = 0;
let ended = 0;
const done = (error) => {
  ended += 1;
  if (error) failed += 1;
  if (ending === "crash" && ended > count / 2) process.kill(process.pid, "SIGKILL");
  if (ended === Number(count) + Math.ceil(count / 200)) {
    console.log(failed);
    process.exit(0);
  }
};
for (let number = 0; number < count; number += 1) {
  const originalTimestamp = new Date(Date.parse(start) + number * 1000);
  const times = { originalTimestamp, timestamp: originalTimestamp };
  const block = Math.floor(number / 200);
  if (number % 200 === Math.min(count, 200) / 2) client.group({ userId: `${world}-user-${block}`, groupId: `${world}-${block}`, traits: { name: "Acme Corp" }, ...times }, done);
  client.track({ userId: `${world}-user-${block}`, event: "seen", properties: { number }, messageId: `m-${number}`, ...times }, done);
}
client.flush();
