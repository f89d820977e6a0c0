#pragma once

#include <atomic>
#include <cstdint>

namespace cnb {

// Written by one thread, read by any: an ordinary add without a lock prefix that a reader never sees torn.
class Counter {
 public:
  explicit Counter(uint64_t value = 0) : value_(value) {}
  void add(uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t load() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_;
};

}  // namespace cnb
