#pragma once

#include <time.h>

#include <cstdint>

namespace cnb {

// CLOCK_MONOTONIC is read through the vDSO (no system call) wherever the clock source allows it.
inline uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

}  // namespace cnb
