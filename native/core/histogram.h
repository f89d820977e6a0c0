#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "core/counter.h"

namespace cnb {

// The bucket layout of HdrHistogram with a lowest value of 1 and 3 significant digits: 2048 values of exact resolution,
// then 1024 buckets for every doubling. Keeping its index means that the standard encoding needs no re-bucketing.
struct HistogramLayout {
  static constexpr int kHalfMagnitude = 10;
  static constexpr uint64_t kHalfCount = 1u << kHalfMagnitude;
  static constexpr uint64_t kSubBucketMask = 2 * kHalfCount - 1;
  static constexpr uint64_t kMaxValue = 1ull << 42;  // 73 minutes in ns; larger values are recorded as this

  static constexpr size_t index_of(uint64_t value) {
    const int bucket = static_cast<int>(std::bit_width(value | kSubBucketMask)) - (kHalfMagnitude + 1);
    return (static_cast<size_t>(bucket) << kHalfMagnitude) + static_cast<size_t>(value >> bucket);
  }
  static constexpr size_t size() { return index_of(kMaxValue) + 1; }
};

// A merged, ordinary copy of one or more histograms.
struct HistogramData {
  std::vector<uint64_t> counts = std::vector<uint64_t>(HistogramLayout::size());
  uint64_t sum = 0;
  uint64_t min = UINT64_MAX;
  uint64_t max = 0;
};

// Records durations in ns; one writer, any number of readers. The counts come from calloc, so buckets never hit cost no
// memory.
class Histogram {
 public:
  Histogram() : counts_(static_cast<Counter*>(std::calloc(HistogramLayout::size(), sizeof(Counter)))) {
    if (!counts_) throw std::bad_alloc();
  }

  void record(uint64_t value) {
    if (value > HistogramLayout::kMaxValue) value = HistogramLayout::kMaxValue;
    counts_.get()[HistogramLayout::index_of(value)].add(1);
    sum_.add(value);
    if (value < min_.load()) min_.set(value);
    if (value > max_.load()) max_.set(value);
  }

  void merge_into(HistogramData& into) const {
    for (size_t i = 0; i < HistogramLayout::size(); i++) into.counts[i] += counts_.get()[i].load();
    into.sum += sum_.load();
    if (min_.load() < into.min) into.min = min_.load();
    if (max_.load() > into.max) into.max = max_.load();
  }

 private:
  struct Free {
    void operator()(Counter* p) const { std::free(p); }
  };
  // A zeroed Counter is a valid one (its only member is a lock-free 64-bit atomic).
  std::unique_ptr<Counter, Free> counts_;
  Counter sum_;
  Counter min_{UINT64_MAX};
  Counter max_;
};

}  // namespace cnb
