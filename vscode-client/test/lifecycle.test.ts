import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { Discovery } from "../src/discovery";
import { Lifecycle, type Session, type Wish } from "../src/lifecycle";
import type { Phase } from "../src/status";

const SERVER = { program: "surefill", prefix: [], origin: "path" as const };

/** An editor and a machine in which everything can be made to happen. */
class World {
  wish: Wish = "wanted";
  discovery: Discovery = { kind: "found", server: SERVER };
  states: string[] = ["ready"];
  readonly phases: Phase[] = [];
  readonly events: string[] = [];
  readonly logged: string[] = [];
  launchError: Error | undefined;
  /** Whether servers never answer: each start lasts until it is aborted. */
  hanging = false;
  end: (message: string) => void = () => undefined;
  now = 0;
  readonly lifecycle = new Lifecycle(
    {
      wish: () => this.wish,
      find: async () => this.discovery,
      launch: async (_server, ended, signal) => {
        if (this.launchError) throw this.launchError;
        if (this.hanging) {
          this.events.push("hang");
          await new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          });
        }
        this.events.push("start");
        this.end = ended;
        return this.session();
      },
      show: (phase) => this.phases.push(phase),
      log: (message) => this.logged.push(message),
    },
    () => this.now,
  );

  get kinds(): string[] {
    return this.phases.map(({ kind }) => kind);
  }

  get last(): Phase {
    return this.phases.at(-1) as Phase;
  }

  private session(): Session {
    return {
      status: async () => {
        this.events.push("status");
        return { state: this.states.length > 1 ? this.states.shift() : this.states[0] };
      },
      stop: async () => {
        this.events.push("stop");
      },
    };
  }
}

let world: World;
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  world = new World();
});
afterEach(() => mock.timers.reset());

/** Let everything that waits for nothing but promises happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function model(phase: Phase): string | undefined {
  return phase.kind === "running" ? phase.status?.model : undefined;
}

test("it is looked for, started, and asked until it is settled", async () => {
  world.states = ["starting", "loading", "ready"];
  await world.lifecycle.follow();
  await settle();
  assert.deepEqual(world.kinds, ["looking", "starting", "running", "running"]);
  assert.equal(model(world.last), "starting");
  for (const state of ["loading", "ready"]) {
    mock.timers.tick(700);
    await settle();
    assert.equal(model(world.last), state);
  }
  mock.timers.tick(60_000);
  await settle();
  assert.equal(world.events.filter((event) => event === "status").length, 3);
  assert.deepEqual(world.lifecycle.server, SERVER);
});

test("nothing is started while nothing is wanted, and once it is, only one", async () => {
  world.wish = "waiting";
  await world.lifecycle.follow();
  assert.deepEqual(world.events, []);
  world.wish = "wanted";
  await Promise.all([world.lifecycle.follow(), world.lifecycle.follow(), world.lifecycle.follow()]);
  assert.deepEqual(world.events.filter((event) => event === "start").length, 1);
});

test("it keeps running when its documents are closed", async () => {
  await world.lifecycle.follow();
  world.wish = "waiting";
  await world.lifecycle.follow();
  assert.ok(!world.events.includes("stop"));
});

test("pausing stops it, resuming starts another", async () => {
  await world.lifecycle.follow();
  world.wish = "paused";
  await world.lifecycle.follow();
  assert.equal(world.last.kind, "paused");
  assert.ok(world.events.includes("stop"));
  assert.equal(world.lifecycle.server, undefined);
  world.wish = "wanted";
  await world.lifecycle.follow();
  assert.equal(world.last.kind, "running");
});

test("what is missing is looked for again when asked, not with every document", async () => {
  world.discovery = { kind: "missing" };
  await world.lifecycle.follow();
  assert.equal(world.last.kind, "missing");
  world.discovery = { kind: "found", server: SERVER };
  await world.lifecycle.follow();
  assert.equal(world.last.kind, "missing");
  await world.lifecycle.restart();
  assert.equal(world.last.kind, "running");
});

test("a start that fails says why", async () => {
  world.launchError = new Error("no such module");
  await world.lifecycle.follow();
  assert.deepEqual(world.last, { kind: "failed", message: "no such module" });
  world.launchError = undefined;
  await world.lifecycle.restart();
  assert.equal(world.last.kind, "running");
});

test("a start that hangs is not waited for when another is wanted", async () => {
  world.hanging = true;
  const hung = world.lifecycle.follow();
  await settle();
  assert.equal(world.last.kind, "starting");
  world.hanging = false;
  await world.lifecycle.restart();
  await hung;
  assert.equal(world.last.kind, "running");
  assert.deepEqual(world.events.slice(0, 2), ["hang", "start"]);
  assert.deepEqual(world.logged.length, 2, "only the servers are logged, no error");
});

test("pausing aborts a start, and resuming at once begins another", async () => {
  world.hanging = true;
  void world.lifecycle.follow();
  await settle();
  world.wish = "paused";
  await world.lifecycle.follow();
  assert.equal(world.last.kind, "paused");
  world.wish = "wanted";
  void world.lifecycle.follow();
  await settle();
  world.hanging = false;
  world.wish = "paused";
  void world.lifecycle.follow();
  world.wish = "wanted";
  await world.lifecycle.follow();
  assert.equal(world.last.kind, "running");
});

test("a start that hangs is in the way neither of work nor of the end", async () => {
  world.hanging = true;
  void world.lifecycle.follow();
  await settle();
  await world.lifecycle.without(async () => world.events.push("work"));
  await settle();
  assert.deepEqual(world.events, ["hang", "work", "hang"]);
  await world.lifecycle.dispose();
  assert.equal(world.last.kind, "waiting");
});

test("a server that is found too late is not started", async () => {
  let found: (discovery: Discovery) => void = () => undefined;
  world.discovery = new Promise((resolve) => {
    found = resolve;
  }) as never;
  void world.lifecycle.follow();
  await settle();
  world.wish = "paused";
  const paused = world.lifecycle.follow();
  found({ kind: "found", server: SERVER });
  await paused;
  assert.deepEqual(world.events, []);
});

test("a server that ends for good is lost, and an old one's end means nothing", async () => {
  await world.lifecycle.follow();
  const endOfFirst = world.end;
  await world.lifecycle.restart();
  endOfFirst("the first has ended");
  assert.equal(world.last.kind, "running");
  world.end("it ended by itself");
  assert.deepEqual(world.last, { kind: "failed", message: "it ended by itself" });
  assert.equal(world.lifecycle.server, undefined);
});

test("while it is in use it is asked how it is, but not with every key", async () => {
  await world.lifecycle.follow();
  await settle();
  const asked = () => world.events.filter((event) => event === "status").length;
  world.now = 4_999;
  world.lifecycle.used();
  await settle();
  assert.equal(asked(), 1);
  world.now = 5_000;
  world.lifecycle.used();
  world.lifecycle.used();
  await settle();
  assert.equal(asked(), 2);
});

test("work that needs the server gone happens between a stop and a start", async () => {
  await world.lifecycle.follow();
  await settle();
  world.events.length = 0;
  await world.lifecycle.without(async () => world.events.push("work"));
  await settle();
  assert.deepEqual(world.events, ["stop", "work", "start", "status"]);
});

test("work that fails is told to whoever asked, and the server comes back", async () => {
  await world.lifecycle.follow();
  await assert.rejects(
    world.lifecycle.without(async () => {
      throw new Error("busy");
    }),
    /busy/,
  );
  await settle();
  assert.equal(world.last.kind, "running");
});

test("while a server is on its way back, what it last said is not shown", async () => {
  await world.lifecycle.follow();
  await world.lifecycle.refresh();
  world.lifecycle.restarting();
  assert.deepEqual(world.last, { kind: "running", status: undefined });
  await world.lifecycle.refresh();
  assert.notDeepEqual(world.last, { kind: "running", status: undefined });
});
