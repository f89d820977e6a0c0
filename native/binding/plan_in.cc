#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "binding/convert.h"

namespace cnb {

namespace {

class Reader {
 public:
  explicit Reader(const Napi::Object& object) : object_(object) {}

  [[noreturn]] void refuse(const char* field, const std::string& expected) const {
    const std::string got = object_.Get(field).ToString().Utf8Value();
    throw Napi::TypeError::New(object_.Env(), std::string(field) + ": expected " + expected + ", got " + got);
  }

  template <typename T>
  T integer(const char* field) const {
    const Napi::Value value = object_.Get(field);
    if (value.IsNumber()) return integer_of<T>(field, value);
    refuse(field, "an integer");
  }

  bool boolean(const char* field) const {
    const Napi::Value value = object_.Get(field);
    if (!value.IsBoolean()) refuse(field, "a boolean");
    return value.As<Napi::Boolean>().Value();
  }

  std::string text(const char* field) const {
    const Napi::Value value = object_.Get(field);
    if (!value.IsString()) refuse(field, "a string");
    return value.As<Napi::String>().Utf8Value();
  }

  template <typename E>
  E choice(const char* field, std::initializer_list<std::pair<std::string_view, E>> choices) const {
    const std::string given = text(field);
    std::string names;
    for (const auto& [name, result] : choices) {
      if (name == given) return result;
      names += (names.empty() ? "" : ", ") + std::string(name);
    }
    refuse(field, "one of " + names);
  }

  template <typename T>
  std::vector<T> integers(const char* field) const {
    std::vector<T> result;
    for (const Napi::Value& value : array(field)) {
      if (!value.IsNumber()) refuse(field, "an array of integers");
      result.push_back(integer_of<T>(field, value));
    }
    return result;
  }

  std::vector<std::string> texts(const char* field) const {
    std::vector<std::string> result;
    for (const Napi::Value& value : array(field)) {
      if (!value.IsString()) refuse(field, "an array of strings");
      result.push_back(value.As<Napi::String>().Utf8Value());
    }
    return result;
  }

  // An object of names and values.
  std::vector<ExtraOption> socket_options(const char* field) const {
    const Napi::Value value = object_.Get(field);
    if (!value.IsObject()) refuse(field, "an object");
    const auto group = value.As<Napi::Object>();
    const Napi::Array names = group.GetPropertyNames();
    std::vector<ExtraOption> result;
    for (uint32_t i = 0; i < names.Length(); i++) {
      const std::string name = names.Get(i).ToString().Utf8Value();
      const int wanted = Reader(group).integer<int>(name.c_str());
      try {
        result.push_back(extra_option(name, wanted));
      } catch (const std::invalid_argument& error) {
        throw Napi::TypeError::New(group.Env(), std::string(field) + ": " + error.what());
      }
    }
    return result;
  }

  bool is_null(const char* field) const { return object_.Get(field).IsNull(); }

  bool has(const char* field) const { return !object_.Get(field).IsUndefined(); }

  // Undefined where the field is absent.
  Napi::Value optional_object(const char* field) const {
    const Napi::Value value = object_.Get(field);
    if (!value.IsUndefined() && !value.IsObject()) refuse(field, "an object");
    return value;
  }

  Cookie cookie(const char* field) const {
    const std::vector<uint8_t> given = bytes(field);
    Cookie result{};
    if (given.size() != result.size()) refuse(field, "a Uint8Array of 16 bytes");
    std::copy(given.begin(), given.end(), result.begin());
    return result;
  }

  std::vector<uint8_t> bytes(const char* field) const {
    const Napi::Value value = object_.Get(field);
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
      refuse(field, "a Uint8Array");
    }
    const auto array = value.As<Napi::Uint8Array>();
    return {array.Data(), array.Data() + array.ElementLength()};
  }

 private:
  template <typename T>
  T integer_of(const char* field, const Napi::Value& value) const {
    const double number = value.As<Napi::Number>().DoubleValue();
    // Every double up to 2^53 is an exact integer; no field is larger.
    const double low = static_cast<double>(std::numeric_limits<T>::min());
    const double high = std::min(static_cast<double>(std::numeric_limits<T>::max()), 9007199254740991.0);
    if (std::trunc(number) != number || number < low || number > high) refuse(field, "an integer in range");
    return static_cast<T>(number);
  }

  std::vector<Napi::Value> array(const char* field) const {
    const Napi::Value value = object_.Get(field);
    if (!value.IsArray()) refuse(field, "an array");
    const auto items = value.As<Napi::Array>();
    std::vector<Napi::Value> result;
    for (uint32_t i = 0; i < items.Length(); i++) result.push_back(items.Get(i));
    return result;
  }

  Napi::Object object_;
};

}  // namespace

Plan plan_from(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "plan: expected an object");
  const Reader in(value.As<Napi::Object>());
  Plan plan;
  plan.role = in.choice<Role>("role", {{"client", Role::client}, {"server", Role::server}});
  plan.loop = in.choice<LoopKind>(
      "loop", {{"send", LoopKind::send}, {"receive", LoopKind::receive}, {"rr", LoopKind::rr}, {"crr", LoopKind::crr}});
  plan.engine = in.choice<Engine>(
      "engine", {{"block", Engine::block}, {"epoll", Engine::epoll}, {"spin", Engine::spin}, {"uring", Engine::uring}});
  plan.flows = in.integer<uint32_t>("flows");
  plan.cpus = in.integers<int>("cpus");
  plan.address = in.text("address");
  plan.port = in.integer<uint16_t>("port");
  plan.addresses = in.texts("addresses");
  if (!in.is_null("localPorts")) {
    const std::vector<uint16_t> range = in.integers<uint16_t>("localPorts");
    if (range.size() != 2) in.refuse("localPorts", "null or [first, last]");
    plan.local_ports = {range[0], range[1]};
  }
  plan.cookie = in.cookie("cookie");
  plan.sndbuf = in.integer<int>("sndbufBytes");
  plan.rcvbuf = in.integer<int>("rcvbufBytes");
  plan.no_delay = in.boolean("noDelay");
  plan.congestion = in.text("congestion");
  plan.mss = in.integer<int>("mssBytes");
  plan.send_size = in.integer<size_t>("sendSizeBytes");
  plan.recv_size = in.integer<size_t>("recvSizeBytes");
  plan.request = in.integer<size_t>("requestBytes");
  plan.response = in.integer<size_t>("responseBytes");
  plan.burst = in.integer<uint32_t>("burst");
  plan.coalesce = in.boolean("coalesce");
  plan.rate = in.integer<uint64_t>("ratePerSecond");
  plan.spacing = in.choice<Spacing>("spacing", {{"poisson", Spacing::poisson}, {"constant", Spacing::constant}});
  plan.bandwidth = in.integer<uint64_t>("bandwidthBitsPerSecond");
  plan.zerocopy = in.choice<Zerocopy>(
      "zerocopy", {{"off", Zerocopy::off}, {"msg", Zerocopy::msg}, {"sendfile", Zerocopy::sendfile}});
  plan.rx = in.choice<Rx>("rx", {{"copy", Rx::copy}, {"trunc", Rx::trunc}, {"zerocopy", Rx::zerocopy}});
  plan.rx_lowat = in.integer<int>("rxLowatBytes");
  plan.notsent_lowat = in.integer<int>("notsentLowatBytes");
  plan.close = in.choice<CloseMode>(
      "close", {{"server", CloseMode::server}, {"client", CloseMode::client}, {"reset", CloseMode::reset}});
  if (in.has("socketOptions")) plan.socket_options = in.socket_options("socketOptions");
  plan.setup_timeout_ms = in.integer<int>("setupTimeoutMs");
  if (const Napi::Value group = in.optional_object("foreign"); group.IsObject()) {
    const Reader foreign(group.As<Napi::Object>());
    plan.foreign = true;
    plan.limit = foreign.integer<uint64_t>("limit");
    plan.tos = foreign.integer<int>("tos");
    if (foreign.has("payload")) plan.payload = foreign.bytes("payload");
    plan.time_calls = foreign.boolean("timeCalls");
  }
  if (const Napi::Value group = in.optional_object("udp"); group.IsObject()) {
    const Reader udp(group.As<Napi::Object>());
    plan.udp =
        Udp{udp.integer<uint32_t>("batch"), udp.boolean("gso"), udp.boolean("gro"), udp.integer<int>("retryTimeoutMs")};
  }
  return plan;
}

}  // namespace cnb
