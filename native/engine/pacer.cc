#include "engine/pacer.h"

#include <linux/tcp.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "core/clock.h"
#include "core/socket.h"

namespace cnb {

namespace {

constexpr double kSecond = 1e9;
// A flow makes up for what it is behind within this time, but never faster than by that.
constexpr double kMakeUpNs = 0.04 * kSecond;
constexpr double kFastest = 1.5;
constexpr double kSlowest = 0.9;
// What it is behind beyond this is the path's doing, and forgotten.
constexpr double kForgottenNs = 0.25 * kSecond;
constexpr int64_t kPeriodMs = 25;
constexpr int64_t kFlowsPerMs = 20;

// Payload bytes that the peer has acknowledged (Linux 4.1 and later), the SYN counted as one.
std::optional<uint64_t> acknowledged(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  if (size < offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return std::nullopt;
  return info.tcpi_bytes_acked;
}

}  // namespace

void Pacer::start(size_t flow, int fd) { set_pacing(fd, plan_.share_of_bandwidth(flow)); }

void Pacer::adjust(size_t flow, int fd) {
  const std::optional<uint64_t> bytes = acknowledged(fd);
  if (!bytes) return;
  Flow& state = flows_[flow];
  const uint64_t now = now_ns();
  if (state.since == 0) {
    state = {now, *bytes};
    return;
  }
  const auto share = static_cast<double>(plan_.share_of_bandwidth(flow));
  const double due_ns = static_cast<double>(*bytes - state.base) / share * kSecond;
  const double behind_ns = static_cast<double>(now - state.since) - due_ns;
  if (behind_ns > kForgottenNs) state.since += static_cast<uint64_t>(behind_ns - kForgottenNs);
  const double factor = std::clamp(1 + behind_ns / kMakeUpNs, kSlowest, kFastest);
  set_pacing(fd, static_cast<uint64_t>(share * factor));
}

std::chrono::milliseconds Pacer::period() const {
  return std::chrono::milliseconds(std::max(kPeriodMs, static_cast<int64_t>(flows_.size()) / kFlowsPerMs));
}

}  // namespace cnb
