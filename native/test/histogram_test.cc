#include "core/histogram.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>

namespace cnb {
namespace {

using Layout = HistogramLayout;

uint64_t total(const HistogramData& data) {
  return std::accumulate(data.counts.begin(), data.counts.end(), uint64_t{0});
}

HistogramData snapshot(const Histogram& histogram) {
  HistogramData data;
  histogram.merge_into(data);
  return data;
}

// Independent of index_of: walks the buckets as HdrHistogram's paper describes them, 2048 of width 1, then 1024 each of
// 2, 4, 8...
uint64_t lowest_value_at(size_t index) {
  if (index < 2048) return index;
  const size_t doubling = (index - 2048) / 1024 + 1;
  return (1024 + (index - 2048) % 1024) << doubling;
}

TEST(HistogramLayout, GivesEveryBucketItsLowestAndHighestValue) {
  for (size_t index = 0; index + 1 < Layout::size(); index++) {
    const uint64_t lowest = lowest_value_at(index);
    const uint64_t next = lowest_value_at(index + 1);
    ASSERT_EQ(Layout::index_of(lowest), index) << lowest;
    ASSERT_EQ(Layout::index_of(next - 1), index) << next - 1;
  }
}

TEST(HistogramLayout, KeepsThreeSignificantDigits) {
  for (size_t index = 2048; index + 1 < Layout::size(); index++) {
    const uint64_t lowest = lowest_value_at(index);
    ASSERT_LE((lowest_value_at(index + 1) - lowest) * 1000, lowest) << lowest;
  }
}

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;
  const HistogramData data = snapshot(histogram);
  EXPECT_EQ(total(data), 0u);
  EXPECT_EQ(data.sum, 0u);
  EXPECT_EQ(data.max, 0u);
  EXPECT_EQ(data.min, UINT64_MAX);
}

TEST(Histogram, CountsEveryValueOnceAndKeepsExactSumMinimumAndMaximum) {
  Histogram histogram;
  uint64_t sum = 0;
  for (uint64_t value = 3; value < 10'000'000'000u; value = value * 7 / 5 + 1) {
    histogram.record(value);
    sum += value;
  }
  histogram.record(3);
  const HistogramData data = snapshot(histogram);
  EXPECT_EQ(data.counts[3], 2u);
  EXPECT_EQ(data.sum, sum + 3);
  EXPECT_EQ(data.min, 3u);
  EXPECT_LT(data.max, 10'000'000'000u);
  EXPECT_EQ(data.counts[Layout::index_of(data.max)], 1u);
}

TEST(Histogram, RecordsZeroAndWhatIsTooLarge) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(UINT64_MAX);
  const HistogramData data = snapshot(histogram);
  EXPECT_EQ(data.counts.front(), 1u);
  EXPECT_EQ(data.counts.back(), 1u);
  EXPECT_EQ(data.max, Layout::kMaxValue);
}

TEST(Histogram, MergesByAddition) {
  Histogram one;
  Histogram other;
  one.record(5);
  one.record(5'000'000);
  other.record(5);
  other.record(1);
  HistogramData data;
  one.merge_into(data);
  other.merge_into(data);
  EXPECT_EQ(total(data), 4u);
  EXPECT_EQ(data.counts[5], 2u);
  EXPECT_EQ(data.sum, 5'000'011u);
  EXPECT_EQ(data.min, 1u);
  EXPECT_EQ(data.max, 5'000'000u);
}

TEST(Histogram, CanBeReadWhileOneThreadWrites) {
  constexpr uint64_t kValues = 200'000;
  Histogram histogram;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (uint64_t value = 0; value < kValues; value++) histogram.record(value);
    done = true;
  });
  uint64_t before = 0;
  while (!done) {
    const uint64_t now = total(snapshot(histogram));
    EXPECT_LE(before, now);
    EXPECT_LE(now, kValues);
    before = now;
  }
  writer.join();
  EXPECT_EQ(total(snapshot(histogram)), kValues);
}

}  // namespace
}  // namespace cnb
