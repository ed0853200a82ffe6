"""TODO"""



def options(p): ...
async def run(g):
    return 0
