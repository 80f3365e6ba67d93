#include "script/traceback.h"

#include <lua.hpp>

#include "script/vm.h"

namespace perigee::script {

std::string traceback_of(Vm& vm, lua_State* coroutine, const char* message) {
  struct Context {
    lua_State* coroutine;
    std::string text;
  } context{coroutine, message};
  (void)vm.protect(
      [](lua_State* inner) {
        auto* wanted = static_cast<Context*>(lua_touserdata(inner, 1));
        luaL_traceback(inner, wanted->coroutine, wanted->text.c_str(), 0);
        wanted->text = lua_tostring(inner, -1);
        return 0;
      },
      &context);
  return context.text;
}

}  // namespace perigee::script
