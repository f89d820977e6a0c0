#include "engine/plan.h"

#include <stdexcept>

#include "core/socket.h"

namespace cnb {

namespace {

constexpr size_t kMaxSize = 1u << 30;
constexpr uint32_t kMaxFlows = 1'000'000;
constexpr size_t kMaxWorkers = 4096;
constexpr uint32_t kMaxBurst = 65'536;
constexpr uint64_t kMaxRate = 1'000'000'000;
constexpr uint64_t kMaxBandwidth = 100'000'000'000'000;

template <typename T>
void expect_range(const char* field, T value, T low, T high) {
  if (value >= low && value <= high) return;
  throw std::invalid_argument(std::string(field) + ": expected " + std::to_string(low) + " to " + std::to_string(high) +
                              ", got " + std::to_string(value));
}

void expect_address(const char* field, const std::string& address) {
  try {
    Address::parse(address, 0);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string(field) + ": " + error.what());
  }
}

}  // namespace

namespace {

void validate_udp(const Plan& plan) {
  const Udp& udp = *plan.udp;
  const bool sends = plan.loop == LoopKind::send;
  if (plan.loop == LoopKind::crr) throw std::invalid_argument("udp: has no connections");
  if (plan.engine == Engine::uring) throw std::invalid_argument("udp: engine uring has no datagrams");
  if (plan.zerocopy != Zerocopy::off || plan.rx != Rx::copy) throw std::invalid_argument("udp: copies only");
  if (plan.foreign && sends != (plan.role == Role::client) && plan.loop != LoopKind::rr) {
    throw std::invalid_argument("udp: with a foreign peer the client sends");
  }
  expect_range<uint32_t>("udp.batch", udp.batch, 1, 64);
  expect_range("udp.retryTimeoutMs", udp.retry_ms, 0, 3'600'000);
  // 0 is what fits the path.
  expect_range<size_t>("sendSizeBytes", plan.send_size, plan.foreign ? 1 : 0, sends ? kMaxDatagram : size_t{1} << 30);
  if (plan.loop != LoopKind::rr) return;
  expect_range<size_t>("requestBytes", plan.request, 1, kMaxDatagram);
  expect_range<size_t>("responseBytes", plan.response, 1, kMaxDatagram);
  if (!plan.foreign && plan.tag_bytes() == 1) expect_range<uint32_t>("burst", plan.burst, 0, 127);
}

}  // namespace

void validate(const Plan& plan) {
  expect_range<uint32_t>("flows", plan.flows, 1, kMaxFlows);
  expect_range<size_t>("cpus (workers)", plan.workers(), 1, kMaxWorkers);
  for (const int cpu : plan.cpus) expect_range("cpus", cpu, -1, 1 << 20);
  // A blocking CRR server takes whatever connection comes next, so its workers need not match the flows.
  const bool flows_have_workers = plan.role == Role::client || plan.long_lived();
  if (plan.engine == Engine::block && flows_have_workers && plan.flows != plan.workers()) {
    throw std::invalid_argument("engine: block needs one worker per flow, got " + std::to_string(plan.workers()) +
                                " workers for " + std::to_string(plan.flows) + " flows");
  }
  if (flows_have_workers && plan.workers() > plan.flows) {
    throw std::invalid_argument("cpus: more workers than flows");
  }
  if (plan.engine == Engine::uring && plan.zerocopy == Zerocopy::sendfile) {
    throw std::invalid_argument("zerocopy: engine uring has no sendfile");
  }
  if (plan.engine == Engine::uring && plan.rx == Rx::zerocopy) {
    throw std::invalid_argument("rx: engine uring has no zero-copy receive");
  }
  if (plan.udp) {
    validate_udp(plan);
  } else {
    expect_range<size_t>("sendSizeBytes", plan.send_size, 1, kMaxSize);
  }
  expect_range<size_t>("recvSizeBytes", plan.recv_size, 1, kMaxSize);
  const size_t least = plan.loop == LoopKind::crr && plan.request == 0 ? 0 : 1;
  expect_range<size_t>("requestBytes", plan.request, least, kMaxSize);
  expect_range<size_t>("responseBytes", plan.response, least, least == 0 ? 0 : kMaxSize);
  expect_range<uint32_t>("burst", plan.burst, 0, kMaxBurst);
  if (plan.coalesce && plan.rate != 0) throw std::invalid_argument("coalesce: requests of a rate are sent when due");
  expect_range<uint64_t>("ratePerSecond", plan.rate, 0, kMaxRate);
  expect_range<uint64_t>("bandwidthBitsPerSecond", plan.bandwidth, 0, kMaxBandwidth);
  expect_range("rxLowatBytes", plan.rx_lowat, kAutomatic, 1 << 30);
  expect_range("notsentLowatBytes", plan.notsent_lowat, 0, 1 << 30);
  expect_range("sndbufBytes", plan.sndbuf, 0, 1 << 30);
  expect_range("rcvbufBytes", plan.rcvbuf, 0, 1 << 30);
  expect_range("mssBytes", plan.mss, 0, 65'535);
  expect_range("setupTimeoutMs", plan.setup_timeout_ms, 1, 600'000);
  if (plan.foreign && plan.engine != Engine::block) throw std::invalid_argument("foreign: needs engine block");
  expect_range("foreign.tos", plan.tos, -1, 255);
  if (plan.congestion.size() > 15) throw std::invalid_argument("congestion: expected at most 15 characters");
  if (plan.local_ports.first > plan.local_ports.second) throw std::invalid_argument("localPorts: first exceeds last");
  expect_address("address", plan.address);
  for (const std::string& address : plan.addresses) expect_address("addresses", address);
}

}  // namespace cnb
