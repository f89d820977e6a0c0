#pragma once

#include <poll.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "core/error.h"
#include "engine/worker.h"
#include "io/timer.h"

namespace cnb {

// Lets a blocking worker wait for a moment; the session's stop ends that at once.
class Pause {
 public:
  explicit Pause(const Worker& worker) : stop_event_(worker.stop_event()) {}

  // Until `at`, ns of CLOCK_MONOTONIC, or until there is something to receive on `fd` (-1: nothing is awaited): true.
  bool until(uint64_t at, int fd = -1) {
    timer_.set(at);
    std::array<pollfd, 3> awaited{{{stop_event_, POLLIN, 0}, {timer_.fd(), POLLIN, 0}, {fd, POLLIN, 0}}};
    if (poll(awaited.data(), awaited.size(), -1) < 0 && errno != EINTR) throw_errno("poll");
    return awaited[2].revents != 0;
  }

 private:
  const int stop_event_;
  Timer timer_;
};

}  // namespace cnb
