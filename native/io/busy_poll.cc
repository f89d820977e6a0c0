#include "io/busy_poll.h"

#include <sys/socket.h>

namespace cnb {

namespace {

// Non-blocking receives poll once, whatever the time; it only has to be positive.
constexpr int kBusyPollUs = 50;

}  // namespace

void ask_for_busy_poll(const Worker& worker) {
  for (size_t i = 0; i < worker.flow_count(); i++) {
    setsockopt(worker.flow_fd(i), SOL_SOCKET, SO_BUSY_POLL, &kBusyPollUs, sizeof kBusyPollUs);
  }
}

}  // namespace cnb
