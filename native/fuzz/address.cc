// Texts of addresses and the numbers of a plan, as a peer's set-up message brings them here by way of TypeScript.

#include <cstring>
#include <stdexcept>
#include <string>

#include "engine/plan.h"
#include "fuzz/input.h"

namespace cnb::fuzz {

namespace {

void parse(const std::string& text, uint16_t port) {
  try {
    const Address address = Address::parse(text, port);
    require(address.port() == port);
    require(address.same_host(address));
    // A scope is not written.
    const Address again = Address::parse(address.host(), port);
    require(again.text() == address.text());
    require(again.same_host(address));
  } catch (const std::invalid_argument&) {
  }
}

template <typename T>
T number(Input& in) {
  T value{};
  const auto bytes = in.bytes(sizeof value);
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

// What passes is within what the loops rely on.
void check(const Plan& plan) {
  try {
    validate(plan);
  } catch (const std::invalid_argument&) {
    return;
  }
  require(plan.flows > 0 && plan.workers() > 0);
  uint64_t shares = 0;
  for (size_t flow = 0; flow < std::min<size_t>(plan.flows, 64); flow++) shares += plan.share_of_bandwidth(flow);
  require(shares <= plan.bandwidth / 8);
  if (!plan.udp) return;
  // 0 is what fits the path, which is known later.
  if (plan.loop == LoopKind::send && plan.send_size > 0) require(plan.train() * plan.send_size <= 2 * kMaxDatagram);
  require(plan.tag_bytes() >= 1 || plan.loop != LoopKind::rr);
  require(plan.foreign || plan.loop != LoopKind::rr || plan.tag_bytes() > 1 || plan.burst < 128);
}

Plan plan_of(Input& in) {
  Plan plan;
  const uint8_t kinds = in.byte();
  plan.role = kinds & 1 ? Role::server : Role::client;
  plan.loop = static_cast<LoopKind>(kinds >> 1 & 3);
  plan.engine = static_cast<Engine>(kinds >> 3 & 3);
  plan.foreign = kinds & 32;
  plan.coalesce = kinds & 64;
  if (kinds & 128) {
    plan.udp = Udp{number<uint32_t>(in), (in.byte() & 1) != 0, (in.byte() & 1) != 0, number<int>(in)};
  }
  plan.flows = number<uint32_t>(in);
  plan.cpus.assign(in.byte(), number<int>(in));
  plan.send_size = number<uint32_t>(in);
  plan.recv_size = number<uint32_t>(in);
  plan.request = number<uint32_t>(in);
  plan.response = number<uint32_t>(in);
  plan.burst = number<uint32_t>(in);
  plan.bandwidth = number<uint64_t>(in);
  plan.address = "127.0.0.1";
  return plan;
}

}  // namespace

}  // namespace cnb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cnb::fuzz::Input in(data, size);
  if (in.byte() % 2 == 0) {
    const uint16_t port = in.word();
    const auto text = in.bytes(256);
    cnb::fuzz::parse(std::string(text.begin(), text.end()), port);
  } else {
    cnb::fuzz::check(cnb::fuzz::plan_of(in));
  }
  return 0;
}
