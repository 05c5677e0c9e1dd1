package messaging;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A blocking queue of limited size, for one or more producers and consumers. */
public final class BoundedMessageQueue<T> {
  private final Deque<T> messages = new ArrayDeque<>();
  private final int capacity;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition notEmpty = lock.newCondition();
  private final Condition notFull = lock.newCondition();
  private boolean closed;

  public BoundedMessageQueue(int capacity) {
    if (capacity <= 0) {
      throw new IllegalArgumentException("capacity must be positive: " + capacity);
    }
    this.capacity = capacity;
  }

  public void put(T message) throws InterruptedException {
    Objects.requireNonNull(message, "message");
    lock.lock();
    try {
      while (messages.size() == capacity && !closed) {
        notFull.await();
      }
      if (closed) {
        throw new IllegalStateException("queue is closed");
      }
      messages.addLast(message);
      notEmpty.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the next message; null when the queue was closed and is empty. */
  public T take() throws InterruptedException {
    lock.lock();
    try {
      while (messages.isEmpty() && !closed) {
        notEmpty.await();
      }
      T message = messages.pollFirst();
      notFull.signal();
      return message;
    } finally {
      lock.unlock();
    }
  }

  public void close() {
    lock.lock();
    try {
      closed = true;
      notEmpty.signalAll();
      notFull.signalAll();
    } finally {
      lock.unlock();
    }
  }

  public static void main(String[] args) throws InterruptedException {
    BoundedMessageQueue<String> queue = new BoundedMessageQueue<>(4);
    ExecutorService executor = Executors.newFixedThreadPool(3);

    for (int i = 0; i < 2; i++) {
      final int consumer = i;
      executor.submit(() -> {
        String message;
        while ((message = queue.take()) != null) {
          System.out.println("consumer " + consumer + " got " + message);
        }
        return null;
      });
    }

    executor.submit(() -> {
      for (int n = 0; n < 20; n++) {
        queue.put("message " + n);
      }
      queue.close();
      return null;
    });

    executor.shutdown();
    if (!executor.awaitTermination(5, TimeUnit.SECONDS)) {
      executor.shutdownNow();
    }
  }
}
