#pragma once

#include <napi.h>

#include "core/error.h"
#include "core/link.h"
#include "engine/plan.h"
#include "engine/session.h"

namespace cnb {

// Reads a NativePlan. Throws Napi::TypeError naming the field, what was expected and what came.
Plan plan_from(const Napi::Value& value);

Napi::Value to_js(Napi::Env env, const Fault& fault);
Napi::Value to_js(Napi::Env env, const Snapshot& snapshot);
Napi::Value to_js(Napi::Env env, const Result& result);
Napi::Value to_js(Napi::Env env, const LinkFacts& facts);

// An Error with code, syscall, errno and address.
Napi::Error to_js_error(Napi::Env env, const SystemError& error);

}  // namespace cnb
