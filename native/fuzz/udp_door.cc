// The hellos of UDP: those that a server's door hears (UdpDoor), and those that answer a client (connect_udp_flows).

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "engine/udp_setup.h"
#include "fuzz/input.h"
#include "fuzz/loopback.h"

namespace cnb::fuzz {

namespace {

constexpr uint32_t kFlows = 2;

Plan plan_for(Role role) {
  Plan plan;
  plan.role = role;
  plan.loop = LoopKind::rr;
  plan.engine = Engine::epoll;
  plan.flows = kFlows;
  plan.cookie = kCookie;
  plan.address = "127.0.0.1";
  plan.udp.emplace();
  return plan;
}

// A hello of the input's making, right in as much of it as the input wants; else any bytes at all.
std::string datagram(Input& in, const std::string& token) {
  const uint8_t how = in.byte();
  if (how % 8 == 0) {
    const auto some = in.bytes(in.byte() % 64);
    return {some.begin(), some.end()};
  }
  std::string hello(kCookie.begin(), kCookie.end());
  hello += std::string("\0\0\0", 3) + static_cast<char>(how / 8 % 3);
  hello += how & 1 ? token : std::string(8, static_cast<char>(in.byte()));
  hello += static_cast<char>(how / 32 % 5);
  if ((how & 7) == 2) hello.resize(in.byte() % 40);
  if ((how & 7) == 4) hello[in.byte() % hello.size()] = static_cast<char>(in.byte());
  return hello;
}

// The token in a challenge, or what was known before.
std::string hear(const Fd& fd, const std::string& known, size_t& heard) {
  std::array<char, 64> bytes;
  std::string token = known;
  for (ssize_t n; (n = recv(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT)) >= 0;) {
    require(static_cast<size_t>(n) == kHelloBytes);
    heard += static_cast<size_t>(n);
    if (bytes[28] == 1) token.assign(bytes.data() + 20, 8);
  }
  return token;
}

void door(Input& in) {
  static const Fd wake = raised_event();
  const Plan plan = plan_for(Role::server);
  const Fd listener = udp_on_loopback();
  std::array<Fd, 2> visitors{udp_on_loopback(), udp_on_loopback()};
  for (const Fd& visitor : visitors) connect_to(visitor, listener);
  std::array<std::string, 2> tokens{std::string(8, '\0'), std::string(8, '\0')};
  size_t said = 0;
  size_t heard = 0;
  const auto act = [&] {
    const size_t who = in.byte() % 2;
    tokens[who] = hear(visitors[who], tokens[who], heard);
    const std::string hello = datagram(in, tokens[who]);
    const ssize_t n = send(visitors[who].get(), hello.data(), hello.size(), MSG_NOSIGNAL);
    if (n > 0) said += static_cast<size_t>(n);
  };
  UdpDoor door(plan, listener.get());
  int idle = 0;
  const auto cancelled = [&] {
    if (in.empty()) return ++idle > 3;
    act();
    return false;
  };
  const std::vector<Fd> flows = door.admit(wake.get(), cancelled);
  require(flows.empty() || flows.size() == kFlows);
  for (const Fd& flow : flows) {
    const uint16_t peer = Address::peer_of(flow.get()).port();
    require(peer == Address::local_of(visitors[0].get()).port() || peer == Address::local_of(visitors[1].get()).port());
  }
  // Repetitions, when the flows are their workers' already.
  for (int i = 0; i < 8 && !in.empty(); i++) {
    act();
    door.answer();
  }
  for (size_t who = 0; who < 2; who++) hear(visitors[who], {}, heard);
  // Nobody is sent more than was said, but for the word that a flow is admitted.
  require(heard <= said + 2 * kHelloBytes * kFlows);
}

void client(Input& in) {
  static const Fd wake = raised_event();
  const Fd server = udp_on_loopback();
  Plan plan = plan_for(Role::client);
  plan.port = Address::local_of(server.get()).port();
  std::vector<Address> callers;
  const auto receive = [&] {
    std::array<uint8_t, 64> bytes;
    Address peer;
    socklen_t size = Address::capacity();
    for (ssize_t n; (n = recvfrom(server.get(), bytes.data(), bytes.size(), MSG_DONTWAIT, peer.raw(), &size)) >= 0;) {
      require(static_cast<size_t>(n) == kHelloBytes);
      if (callers.size() < 16) callers.push_back(peer);
    }
  };
  int idle = 0;
  const auto cancelled = [&] {
    receive();
    if (in.empty()) return ++idle > 3;
    const Address& to = callers[in.byte() % callers.size()];
    const std::string hello = datagram(in, std::string(8, 't'));
    sendto(server.get(), hello.data(), hello.size(), MSG_NOSIGNAL, to.raw(), to.size());
    return false;
  };
  const std::vector<Fd> flows = connect_udp_flows(plan, wake.get(), cancelled);
  require(flows.empty() || flows.size() == kFlows);
}

}  // namespace

}  // namespace cnb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cnb::fuzz::Input in(data, size);
  in.byte() % 2 == 0 ? cnb::fuzz::door(in) : cnb::fuzz::client(in);
  return 0;
}
