#include "engine/recorder.h"

#include <cerrno>

namespace cnb {

void ConnectErrors::count(int err) {
  switch (err) {
    case EADDRNOTAVAIL:
    case EADDRINUSE:
      return ports_exhausted.add(1);
    case ECONNREFUSED:
      return refused.add(1);
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return timed_out.add(1);
    case ECONNRESET:
    case EPIPE:
      return reset.add(1);
    default:
      return other.add(1);
  }
}

void Recorder::prepare(size_t flow_count, bool timed, bool connects, bool requests) {
  flows = std::make_unique<FlowCounters[]>(flow_count);
  if (!timed) return;
  latency = std::make_unique<LatencyRecord>();
  if (connects) latency->connect.emplace();
  if (requests) latency->request.emplace();
}

}  // namespace cnb
