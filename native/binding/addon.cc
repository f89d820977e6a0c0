// What JavaScript sees of the engine; src/native/surface.ts declares the same.

#include <napi.h>

#include "binding/convert.h"
#include "binding/session_wrap.h"
#include "core/affinity.h"
#include "core/clock.h"
#include "io/uring.h"

namespace cnb {

namespace {

Napi::Value allowed_cpus_js(const Napi::CallbackInfo& info) {
  try {
    const std::vector<int> cpus = allowed_cpus();
    auto array = Napi::Array::New(info.Env(), cpus.size());
    for (uint32_t i = 0; i < cpus.size(); i++) array.Set(i, Napi::Number::New(info.Env(), cpus[i]));
    return array;
  } catch (const SystemError& error) {
    throw to_js_error(info.Env(), error);
  }
}

Napi::Value current_cpu_js(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), current_cpu()); }

Napi::Value now_ns_js(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(now_ns()));
}

Napi::Value uring_unavailable_reason_js(const Napi::CallbackInfo& info) {
  std::string reason = uring_unavailable_reason();
  if (reason.empty() && info[0].ToBoolean()) reason = uring_zerocopy_unavailable_reason();
  return reason.empty() ? info.Env().Null() : Napi::String::New(info.Env(), reason);
}

Napi::Value link_facts_js(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "linkFacts: expected the name of an interface");
  return to_js(info.Env(), link_facts_of(info[0].As<Napi::String>()));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Session", SessionWrap::define(env));
  exports.Set("allowedCpus", Napi::Function::New<allowed_cpus_js>(env, "allowedCpus"));
  exports.Set("currentCpu", Napi::Function::New<current_cpu_js>(env, "currentCpu"));
  exports.Set("nowNs", Napi::Function::New<now_ns_js>(env, "nowNs"));
  exports.Set("linkFacts", Napi::Function::New<link_facts_js>(env, "linkFacts"));
  exports.Set("uringUnavailableReason",
              Napi::Function::New<uring_unavailable_reason_js>(env, "uringUnavailableReason"));
  return exports;
}

}  // namespace

}  // namespace cnb

static Napi::Object init(Napi::Env env, Napi::Object exports) { return cnb::init(env, exports); }

NODE_API_MODULE(cnb_load, init)
