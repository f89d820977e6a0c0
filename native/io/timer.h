#pragma once

#include <sys/timerfd.h>

#include <cstdint>

#include "core/error.h"
#include "core/fd.h"

namespace cnb {

// A descriptor that becomes readable at a given time. Unlike the timeouts of poll and epoll_wait it takes a moment
// instead of a span, which would begin late, and has neither their milliseconds nor their slack of 50 us
// (PR_SET_TIMERSLACK, prctl(2)).
class Timer {
 public:
  Timer() : fd_(checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")) {}

  int fd() const { return fd_.get(); }
  // `at`: ns of CLOCK_MONOTONIC, past ones are now. UINT64_MAX: never.
  void set(uint64_t at) {
    if (at == set_to_) return;
    set_to_ = at;
    itimerspec when{};
    if (at != UINT64_MAX) {
      when.it_value.tv_sec = static_cast<time_t>(at / 1'000'000'000);
      when.it_value.tv_nsec = static_cast<long>(at % 1'000'000'000);
    }
    checked(timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr), "timerfd_settime");
  }

 private:
  Fd fd_;
  uint64_t set_to_ = UINT64_MAX;
};

}  // namespace cnb
