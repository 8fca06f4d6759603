// Sends events by Segment's client for Node; see `Client.run` in tests/support/clients.py for the arguments.
const { Analytics } = require("@segment/analytics-node");

const [host, key, count, start, , world, ending] = process.argv.slice(2);
const client = new Analytics({ writeKey: key, host });
let failed = 0;
let ended = 0;
client.on("error", () => {});

const sent = (call) =>
  new Promise((resolve) => {
    call((error) => {
      ended += 1;
      if (error) failed += 1;
      if (ending === "crash" && ended > count / 2) process.kill(process.pid, "SIGKILL");
      resolve();
    });
  });

(async () => {
  // One person after the other: all at once, the client would open more than a hundred connections.
  for (let first = 0; first < count; first += 200) {
    const who = { userId: `${world}-user-${first / 200}` };
    const calls = [];
    for (let number = first; number < Math.min(first + 200, count); number += 1) {
      const timestamp = new Date(Date.parse(start) + number * 1000);
      if (number - first === Math.min(count, 200) / 2) {
        const group = { ...who, groupId: `${world}-${first / 200}`, traits: { name: "Acme Corp" }, timestamp };
        calls.push(sent((done) => client.group(group, done)));
      }
      const track = { ...who, event: "seen", properties: { number }, messageId: `m-${number}`, timestamp };
      calls.push(sent((done) => client.track(track, done)));
    }
    if (first + 200 >= count) await client.closeAndFlush({ timeout: 120000 });
    await Promise.all(calls);
  }
  console.log(failed);
})();
