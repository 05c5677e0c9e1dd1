// Typed publish/subscribe for the chat widget. Event names and payloads are
// declared once in ChatEvents; everything else is inferred.

interface ChatEvents {
    "message:received": { from: string; text: string; at: Date };
    "message:sent": { text: string };
    "user:joined": { name: string };
    "user:left": { name: string; reason?: string };
    error: Error;
}

type Handler<T> = (payload: T) => void;
type Unsubscribe = () => void;

export class EventBus<Events extends object> {
    private handlers: { [K in keyof Events]?: Set<Handler<Events[K]>> } = {};

    on<K extends keyof Events>(event: K, handler: Handler<Events[K]>): Unsubscribe {
        const set = this.handlers[event] ?? new Set<Handler<Events[K]>>();
        set.add(handler);
        this.handlers[event] = set;
        return () => this.off(event, handler);
    }

    once<K extends keyof Events>(event: K, handler: Handler<Events[K]>): Unsubscribe {
        const unsubscribe = this.on(event, (payload) => {
            unsubscribe();
            handler(payload);
        });
        return unsubscribe;
    }

    off<K extends keyof Events>(event: K, handler: Handler<Events[K]>): void {
        this.handlers[event]?.delete(handler);
    }

    emit<K extends keyof Events>(event: K, payload: Events[K]): void {
        // Copy first: a handler may unsubscribe while we iterate.
        for (const handler of [...(this.handlers[event] ?? [])]) {
            try {
                handler(payload);
            } catch (error) {
                console.error(`Handler for ${String(event)} failed`, error);
            }
        }
    }

    clear(): void {
        this.handlers = {};
    }
}

export function debounce<A extends unknown[]>(fn: (...args: A) => void, wait: number): (...args: A) => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return (...args: A) => {
        if (timer !== undefined) {
            clearTimeout(timer);
        }
        timer = setTimeout(() => fn(...args), wait);
    };
}

export class ChatLog {
    private readonly entries: string[] = [];
    private readonly subscriptions: Unsubscribe[] = [];

    constructor(bus: EventBus<ChatEvents>, private readonly limit = 200) {
        this.subscriptions.push(
            bus.on("message:received", ({ from, text, at }) => {
                this.append(`[${at.toISOString()}] ${from}: ${text}`);
            }),
            bus.on("user:joined", ({ name }) => this.append(`${name} joined`)),
            bus.on("user:left", ({ name, reason }) => {
                this.append(reason ? `${name} left (${reason})` : `${name} left`);
            }),
            bus.on("error", (error) => this.append(`! ${error.message}`)),
        );
    }

    get lines(): readonly string[] {
        return this.entries;
    }

    dispose(): void {
        this.subscriptions.forEach((unsubscribe) => unsubscribe());
        this.subscriptions.length = 0;
    }

    private append(line: string): void {
        this.entries.push(line);
        if (this.entries.length > this.limit) {
            this.entries.shift();
        }
    }
}

const bus = new EventBus<ChatEvents>();
const log = new ChatLog(bus);
bus.once("user:joined", ({ name }) => console.log(`Welcome, ${name}!`));
bus.emit("user:joined", { name: "Mara" });
bus.emit("message:received", { from: "Mara", text: "hello", at: new Date() });
bus.emit("user:left", { name: "Mara", reason: "timeout" });
console.log(log.lines.join("\n"));
log.dispose();
