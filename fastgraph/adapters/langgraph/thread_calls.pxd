cdef object called(object afunc, object value, dict given)
