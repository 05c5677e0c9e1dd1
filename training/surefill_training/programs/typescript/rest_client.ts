/**
 * A thin wrapper around fetch for our JSON API: base URL, bearer token, retries
 * and errors that carry the status code.
 */

export interface ClientOptions {
  baseUrl: string;
  token?: string;
  timeoutMs?: number;
  retries?: number;
}

export interface User {
  id: number;
  name: string;
  email: string;
  createdAt: string;
}

export interface Page<T> {
  items: T[];
  page: number;
  totalPages: number;
}

type Query = Record<string, string | number | boolean | undefined>;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body?: unknown,
  ) {
    super(message);
    this.name = "ApiError";
  }

  get isRetryable(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export class RestClient {
  private readonly options: Required<Omit<ClientOptions, "token">>;
  private readonly token?: string;

  constructor({ baseUrl, token, timeoutMs = 10_000, retries = 2 }: ClientOptions) {
    this.options = { baseUrl: baseUrl.replace(/\/+$/, ""), timeoutMs, retries };
    this.token = token;
  }

  listUsers(page = 1): Promise<Page<User>> {
    return this.request<Page<User>>("GET", "/users", { page });
  }

  createUser(user: Pick<User, "name" | "email">): Promise<User> {
    return this.request<User>("POST", "/users", {}, user);
  }

  async deleteUser(id: number): Promise<void> {
    await this.request<void>("DELETE", `/users/${id}`);
  }

  /** Walks through all pages and yields one user at a time. */
  async *allUsers(): AsyncGenerator<User> {
    let page = 1;
    let totalPages = 1;
    while (page <= totalPages) {
      const result = await this.listUsers(page);
      totalPages = result.totalPages;
      yield* result.items;
      page += 1;
    }
  }

  private async request<T>(method: string, path: string, query: Query = {}, body?: unknown): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.send<T>(method, path, query, body);
      } catch (error) {
        const retryable = error instanceof ApiError && error.isRetryable;
        if (!retryable || attempt >= this.options.retries) {
          throw error;
        }
        // 200 ms, 400 ms, 800 ms, ...
        await sleep(200 * 2 ** attempt);
      }
    }
  }

  private async send<T>(method: string, path: string, query: Query, body?: unknown): Promise<T> {
    const url = new URL(this.options.baseUrl + path);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const headers: Record<string, string> = { Accept: "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";

    const response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(this.options.timeoutMs),
    });
    const text = await response.text();
    const data: unknown = text ? JSON.parse(text) : undefined;
    if (!response.ok) {
      throw new ApiError(response.status, `${method} ${path} failed with ${response.status}`, data);
    }
    return data as T;
  }
}
