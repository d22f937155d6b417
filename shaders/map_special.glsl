// Numbers that a driver's compiler must not see: what it knows to be infinite, NaN or a zero that divides, it may fold into anything.
// A dispatch is one workgroup deep, which only the driver's runtime knows.
uint unseen_zero() { return gl_NumWorkGroups.z - 1u; }
float special(uint bits) { return uintBitsToFloat(bits ^ unseen_zero()); }
#define NOT_A_NUMBER special(0x7fc00000u)
#define INFINITE special(0x7f800000u)
