#include <cassert>
#include <cstddef>
#include <iostream>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

/// A cache that drops the least recently used entry once it is full.
template <typename Key, typename Value>
class LruCache {
public:
    explicit LruCache(std::size_t capacity) : capacity_(capacity) {
        if (capacity == 0) {
            throw std::invalid_argument("capacity must not be zero");
        }
    }

    /// Looks a key up and makes it the most recent one.
    std::optional<Value> get(const Key& key) {
        auto it = index_.find(key);
        if (it == index_.end()) {
            ++misses_;
            return std::nullopt;
        }
        ++hits_;
        entries_.splice(entries_.begin(), entries_, it->second);
        return it->second->second;
    }

    void put(const Key& key, Value value) {
        auto it = index_.find(key);
        if (it != index_.end()) {
            it->second->second = std::move(value);
            entries_.splice(entries_.begin(), entries_, it->second);
            return;
        }
        if (entries_.size() == capacity_) {
            index_.erase(entries_.back().first);
            entries_.pop_back();
        }
        entries_.emplace_front(key, std::move(value));
        index_[key] = entries_.begin();
    }

    bool erase(const Key& key) {
        auto it = index_.find(key);
        if (it == index_.end()) {
            return false;
        }
        entries_.erase(it->second);
        index_.erase(it);
        return true;
    }

    void clear() {
        entries_.clear();
        index_.clear();
    }

    bool contains(const Key& key) const { return index_.count(key) > 0; }
    std::size_t size() const { return entries_.size(); }
    std::size_t hits() const { return hits_; }
    std::size_t misses() const { return misses_; }

    double hit_rate() const {
        const auto total = hits_ + misses_;
        return total == 0 ? 0.0 : static_cast<double>(hits_) / static_cast<double>(total);
    }

private:
    using Entry = std::pair<Key, Value>;

    std::size_t capacity_;
    std::list<Entry> entries_;  // most recent first
    std::unordered_map<Key, typename std::list<Entry>::iterator> index_;
    std::size_t hits_ = 0;
    std::size_t misses_ = 0;
};

int main() {
    LruCache<std::string, int> cache(2);
    cache.put("one", 1);
    cache.put("two", 2);
    assert(cache.get("one") == 1);

    cache.put("three", 3);  // drops "two"
    assert(!cache.contains("two"));
    assert(!cache.get("two").has_value());
    assert(cache.size() == 2);

    cache.put("one", 11);
    if (auto value = cache.get("one")) {
        std::cout << "one is now " << *value << '\n';
    }
    std::cout << "hit rate: " << cache.hit_rate() * 100 << " %\n";
}
